// Which proxy a request goes through, by the variables that curl and others heed.
import { ConfigError } from '../native/errors'

/**
 * The proxy for a request: `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` (small letters come first), unless `NO_PROXY`
 * names the host: a list of hosts, domains (`example.org`, `.example.org`), each with a port or not, or `*`.
 *
 * @throws ConfigError when the variable holds no address of an HTTP proxy
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const scheme = url.protocol.slice(0, -1)
  const value = read(env, `${scheme}_proxy`) ?? read(env, 'all_proxy')
  if (value === undefined || isExcluded(url, read(env, 'no_proxy') ?? '')) return undefined
  const address = value.includes('://') ? value : `http://${value}`
  const proxy = URL.canParse(address) ? new URL(address) : undefined
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy
  throw new ConfigError(`the proxy '${value}' is not used: give ${scheme.toUpperCase()}_PROXY=http://host:port`)
}

/** `HTTP_PROXY` in capitals is not read where it may come from a request's header, as in CGI programs. */
function read(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const capitals = name === 'http_proxy' && env.REQUEST_METHOD !== undefined ? undefined : env[name.toUpperCase()]
  return env[name] || capitals || undefined
}

function isExcluded({ hostname, port, protocol }: URL, list: string): boolean {
  const ownPort = port || (protocol === 'https:' ? '443' : '80')
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((item) => {
      if (item === '*') return true
      const [, host = '', itemPort] = /^(.*?)(?::(\d+))?$/.exec(item.toLowerCase()) ?? []
      const domain = host.replace(/^\*?\./, '')
      if (itemPort !== undefined && itemPort !== ownPort) return false
      return hostname === domain || hostname.endsWith(`.${domain}`)
    })
}
