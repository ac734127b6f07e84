export const Versioned = { name: 'test.sys.versioned' }
