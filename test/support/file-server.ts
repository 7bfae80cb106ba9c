// A web server that gives one file, well or badly.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** What the server does to one request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, content: Buffer) => void

/** Gives the file as it should, with ranges. */
export const well: Behaviour = (request, response, content) => {
  const tag = `"${createHash('md5').update(content).digest('hex')}"`
  const from = rangeOf(request)
  const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === tag
  if (from > 0 && from >= content.length) return void response.writeHead(416).end()
  const part = from > 0 && fresh ? content.subarray(from) : content
  if (part === content) response.writeHead(200, { etag: tag, 'content-length': content.length })
  else {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`
    response.writeHead(206, { etag: tag, 'content-length': part.length, 'content-range': range })
  }
  response.end(part)
}

/** As another behaviour, but the connection ends, or nothing more comes, after so many bytes of the answer. */
export function cutAfter(bytes: number, how: 'close' | 'stall', behaviour: Behaviour = well): Behaviour {
  return (request, response, content) => {
    const end = response.end.bind(response)
    response.end = ((part: Buffer) => {
      response.write(part.subarray(0, bytes), () => {
        if (how === 'close') response.socket?.end()
      })
      return response
    }) as typeof end
    behaviour(request, response, content)
  }
}

/** The whole file, whatever range was asked for. */
export const ignoringRange: Behaviour = (_, response, content) => {
  response.writeHead(200, { 'content-length': content.length }).end(content)
}

/** One byte is another, from the beginning of the file on. */
export const corrupting: Behaviour = (request, response, content) => {
  const changed = Buffer.from(content)
  changed[10] = (changed[10] ?? 0) ^ 1
  well(request, response, changed)
}

export function answering(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_, response) => void response.writeHead(status, headers).end('no file')
}

export function rangeOf({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
}

export interface FileServer {
  readonly url: string
  readonly port: number
  readonly sha256: string
  /** First byte that each request asked for. */
  readonly ranges: readonly number[]
  readonly requests: readonly IncomingMessage[]
  close(): Promise<void>
}

/** Starts a server whose requests are met by one behaviour after the other, the last one again and again. */
export async function serveFile(content: Buffer, ...behaviours: readonly Behaviour[]): Promise<FileServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const behaviour = behaviours[Math.min(requests.length, behaviours.length - 1)] ?? well
    requests.push(request)
    behaviour(request, response, content)
  })
  const port = await listen(server)
  return {
    ...{ url: `http://127.0.0.1:${port}/file.pth`, port, requests },
    sha256: createHash('sha256').update(content).digest('hex'),
    get ranges() {
      return requests.map(rangeOf)
    },
    close: () => close(server),
  }
}

const sockets = new WeakMap<Server, Set<Socket>>()

/** Starts any server on a free port. */
export function listen(server: Server): Promise<number> {
  const open = new Set<Socket>()
  sockets.set(server, open)
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export function close(server: Server): Promise<void> {
  for (const socket of sockets.get(server) ?? []) socket.destroy()
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
