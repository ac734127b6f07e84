/**
 * The one script of a page that is ours: connects the official client with the page's CSRF token, and empties inputs on
 * request (the client keeps what is in a focused one). App authors write none.
 */
export const BOOT_SCRIPT: string = `(() => {
  const csrf = document.querySelector('meta[name="csrf-token"]')
  const params = { _csrf_token: csrf ? csrf.getAttribute('content') : '' }
  const liveSocket = new LiveView.LiveSocket('/live', Phoenix.Socket, { params })
  window.addEventListener('phx:beamish:clear', (event) => {
    for (const [name, value] of Object.entries(event.detail)) {
      for (const input of document.getElementsByName(name)) {
        if (input.value.trim() === value.trim()) input.value = ''
      }
    }
  })
  liveSocket.connect()
  window.liveSocket = liveSocket
})()
`
