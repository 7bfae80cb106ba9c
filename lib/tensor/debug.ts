import type { CreationSite } from '../native/errors'
import { native, shared } from '../native/frame'

/** Many tensors made outside any scope in one turn of the event loop cannot be freed before the turn ends. */
const WARN_AT = 1000

interface DebugState {
  enabled: boolean
  sites: Map<number, string>
  scopeless: number
  resetPending: boolean
}

const KEY = Symbol.for('@lab/vision-native/debug')
shared[KEY] ??= {
  enabled: process.env.VISION_NATIVE_DEBUG === '1',
  sites: new Map<number, string>(),
  scopeless: 0,
  resetPending: false,
} satisfies DebugState
const state = shared[KEY] as DebugState

export function debugEnabled(): boolean {
  return state.enabled
}

/** Records where tensors are made from now on; slow, for finding leaks. */
export function setDebug(on: boolean): void {
  state.enabled = on
  if (!on) state.sites.clear()
}

export function recordSite(handle: number, scoped: boolean): void {
  const site = callerSite()
  state.sites.set(handle, site)
  if (!scoped) countScopeless(site)
}

export function forgetSite(handle: number): void {
  state.sites.delete(handle)
}

/** In debug mode: live tensors by the line that made them, most first. */
export function liveSites(): readonly CreationSite[] | undefined {
  if (!state.enabled) return undefined
  const counts = new Map<string, number>()
  for (const site of state.sites.values()) counts.set(site, (counts.get(site) ?? 0) + 1)
  return [...counts].map(([site, tensors]) => ({ site, tensors })).sort((a, b) => b.tensors - a.tensors)
}
native.liveSites = liveSites

function countScopeless(site: string): void {
  state.scopeless += 1
  if (!state.resetPending) {
    state.resetPending = true
    setImmediate(() => {
      state.scopeless = 0
      state.resetPending = false
    })
  }
  if (state.scopeless === WARN_AT) {
    process.emitWarning(
      `${WARN_AT} tensors were made outside any scope in one turn of the event loop, the last at ${site}; ` +
        'none can be freed before the turn ends. Wrap the loop in tidy().',
      { code: 'VISION_NATIVE_SCOPELESS' },
    )
  }
}

/** The first line of the stack outside this package. */
export function callerSite(): string {
  return laterCallerSite()()
}

/** The same, put into words only when asked: that takes far longer than the stack itself. */
export function laterCallerSite(): () => string {
  const limit = Error.stackTraceLimit
  // Each scope and module between the operator and the application takes some frames.
  Error.stackTraceLimit = 64
  const here = new Error()
  Error.stackTraceLimit = limit
  return () => {
    const lines = (here.stack ?? '').split('\n').slice(2)
    const line = lines.find((text) => !INSIDE.test(text)) ?? lines.at(-1) ?? 'unknown'
    return line.trim().replace(/^at /, '')
  }
}

const INSIDE = /[/\\]lib[/\\](tensor|native|ops|io|nn|optim)[/\\]|[/\\]vision-native[/\\]dist[/\\]|\bnode:|<anonymous>/
