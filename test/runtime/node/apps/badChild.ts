import { supervisor } from 'beamish'

export default supervisor({ children: [{ id: 'x' } as never] })
