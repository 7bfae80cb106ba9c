// GET over HTTP(S): redirects, proxies, and an end to waiting.
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as tlsConnect } from 'node:tls'
import { LoadError } from '../native/errors'
import { proxyFor } from './proxy'

const MAX_REDIRECTS = 10

export interface GetOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Without a byte for so long, the connection is given up. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
}

export interface Response {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
  /** SHA-256 that a server on the way published for the file, as huggingface.co does. */
  readonly publishedSha256: string | undefined
}

/** A connection that failed in a way that another try may not: it was refused, reset, cut or stalled. */
export class ConnectionError extends LoadError {}

/**
 * Asks for a URL and follows redirects; the body is yet to be read.
 *
 * @throws ConnectionError when there is no answer
 * @throws LoadError when redirects go on for ever, or lead from https to http
 */
export async function get(address: string, options: GetOptions): Promise<Response> {
  let url = new URL(address)
  let publishedSha256: string | undefined
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const body = await send(url, options)
    const { statusCode: status = 0, headers } = body
    publishedSha256 = linkedChecksum(headers) ?? publishedSha256
    if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) {
      return { status, headers, body, publishedSha256 }
    }
    body.destroy()
    const next = new URL(headers.location, url)
    if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:')) {
      throw new LoadError(`${address} leads to ${next.href}, which is not followed: it is less safe`)
    }
    url = next
  }
  throw new LoadError(`${address} leads from one address to the next more than ${MAX_REDIRECTS} times`)
}

function linkedChecksum(headers: IncomingHttpHeaders): string | undefined {
  const tag = headers['x-linked-etag']
  return typeof tag === 'string' ? /^"?([0-9a-f]{64})"?$/.exec(tag)?.[1] : undefined
}

async function send(url: URL, options: GetOptions): Promise<IncomingMessage> {
  const proxy = proxyFor(url, options.env)
  const { hostname, port, pathname, search, protocol } = url
  // A file is to arrive as it lies on the server.
  const headers = { 'user-agent': 'vision-native', 'accept-encoding': 'identity', ...options.headers }
  const secure = protocol === 'https:'
  const host = hostname.replace(/^\[|\]$/g, '')
  const target: RequestOptions = { host, port: port || (secure ? 443 : 80), path: pathname + search, headers }
  if (proxy === undefined) return respond(url, secure, { ...target, agent: false }, options)
  if (!secure) {
    const through = { ...address(proxy), path: url.href, agent: false as const }
    return respond(
      url,
      proxy.protocol === 'https:',
      { ...through, headers: { ...headers, host: url.host, ...authority(proxy) } },
      options,
    )
  }
  const socket = await tunnel(proxy, `${hostname}:${target.port}`, options)
  const createConnection = () => tlsConnect({ socket, servername: host })
  return respond(url, true, { ...target, agent: false, createConnection }, options)
}

function address(proxy: URL): RequestOptions {
  return { host: proxy.hostname, port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80) }
}

function authority({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}

/** A connection to a host by way of a proxy's CONNECT. */
function tunnel(proxy: URL, target: string, { timeoutMs, signal }: GetOptions): Promise<import('node:net').Socket> {
  return new Promise((resolve, reject) => {
    const request = proxy.protocol === 'https:' ? httpsRequest : httpRequest
    const headers = { host: target, ...authority(proxy) }
    const asked = request({ ...address(proxy), method: 'CONNECT', path: target, headers, agent: false, signal })
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`no answer for ${timeoutMs / 1000} s`)))
    asked.on('connect', ({ statusCode }, socket) => {
      asked.setTimeout(0)
      if (statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(new LoadError(`the proxy ${proxy.host} refused a connection to ${target} with status ${statusCode}`))
    })
    asked.on('error', (cause) => reject(failed(`the proxy ${proxy.host}`, cause)))
    asked.end()
  })
}

function respond(url: URL, secure: boolean, request: RequestOptions, options: GetOptions): Promise<IncomingMessage> {
  const { timeoutMs, signal } = options
  return new Promise((resolve, reject) => {
    const asked = (secure ? httpsRequest : httpRequest)({ ...request, method: 'GET', signal })
    // Counts from the last byte either way, so it ends a body that stalls as well.
    asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`nothing came for ${timeoutMs / 1000} s`)))
    asked.on('response', resolve)
    asked.on('error', (cause) => reject(failed(url.host, cause)))
    asked.end()
  })
}

function failed(who: string, cause: Error & { readonly code?: string }): Error {
  if (cause.name === 'AbortError') return cause
  return new ConnectionError(`no answer from ${who}: ${cause.message || cause.code}`, { cause })
}
