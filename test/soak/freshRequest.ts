import { get } from 'node:http'

/** fetch over a connection of its own, closed afterwards: a new visitor has none, and one that is kept would be counted. */
export const freshRequest = ((url: string, init: { headers: Record<string, string> }) =>
  new Promise<Response>((resolve, reject) => {
    get(url, { agent: false, headers: init.headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const headers = new Headers()
        for (const [name, values] of Object.entries(response.headersDistinct)) {
          for (const value of values ?? []) headers.append(name, value)
        }
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode, headers }))
      })
    }).on('error', reject)
  })) as unknown as typeof fetch
