/**
 * TV-L1 optical flow, slow and obvious: float64, one nested loop for every step of the method, a new array for every
 * result. Written from the papers (Zach et al. 2007, Sánchez et al. 2013), apart from the native code.
 */

/** A grey image or any other field, row by row. */
export interface Field {
  readonly width: number
  readonly height: number
  readonly data: Float64Array
}

export interface ReferenceParams {
  tau: number
  lambda: number
  theta: number
  scales: number
  scaleFactor: number
  warps: number
  epsilon: number
  outerIterations: number
  innerIterations: number
  medianFilter: boolean
  gamma: number
  gradientFloor: number
  bicubicA: number
  zeroBorder: boolean
  pyramid: 'bilinear' | 'binomial' | 'gaussian'
  stretchInput: boolean
  presmoothingSigma: number
}

export const referenceDefaults: ReferenceParams = {
  tau: 0.25,
  lambda: 0.15,
  theta: 0.3,
  scales: 5,
  scaleFactor: 0.8,
  warps: 5,
  epsilon: 0.01,
  outerIterations: 10,
  innerIterations: 30,
  medianFilter: true,
  gamma: 0,
  gradientFloor: 1.19e-7,
  bicubicA: -0.5,
  zeroBorder: false,
  pyramid: 'bilinear',
  stretchInput: false,
  presmoothingSigma: 0,
}

/** The field of `f(x, y)`. */
export function field(width: number, height: number, f: (x: number, y: number) => number): Field {
  const data = new Float64Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = f(x, y)
  }
  return { width, height, data }
}

const clamp = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1)

/** Value at a pixel, the border repeated outside. */
export function at(f: Field, x: number, y: number): number {
  return f.data[clamp(y, f.height) * f.width + clamp(x, f.width)] as number
}

const inside = (f: Field, x: number, y: number): boolean => x >= 0 && y >= 0 && x < f.width && y < f.height
const zeros = (f: Field): Field => field(f.width, f.height, () => 0)

// ---- Discrete operators ---------------------------------------------------------------------------------------------

export function forwardX(f: Field): Field {
  return field(f.width, f.height, (x, y) => (x + 1 < f.width ? at(f, x + 1, y) - at(f, x, y) : 0))
}

export function forwardY(f: Field): Field {
  return field(f.width, f.height, (x, y) => (y + 1 < f.height ? at(f, x, y + 1) - at(f, x, y) : 0))
}

export function divergence(px: Field, py: Field): Field {
  return field(px.width, px.height, (x, y) => {
    const dx = x > 0 ? at(px, x, y) - at(px, x - 1, y) : at(px, x, y)
    const dy = y > 0 ? at(py, x, y) - at(py, x, y - 1) : at(py, x, y)
    return dx + dy
  })
}

const centredX = (f: Field): Field => field(f.width, f.height, (x, y) => (at(f, x + 1, y) - at(f, x - 1, y)) / 2)
const centredY = (f: Field): Field => field(f.width, f.height, (x, y) => (at(f, x, y + 1) - at(f, x, y - 1)) / 2)

export function median5x5(f: Field): Field {
  return field(f.width, f.height, (x, y) => {
    const values: number[] = []
    for (let dy = -2; dy <= 2; dy++) {
      for (let dx = -2; dx <= 2; dx++) values.push(at(f, x + dx, y + dy))
    }
    return values.sort((a, b) => a - b)[12] as number
  })
}

// ---- Sampling -------------------------------------------------------------------------------------------------------

/** Keys' cubic kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  if (d < 2) return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a
  return 0
}

function sampleCubic(f: Field, px: number, py: number, a: number, zeroOutside = false): number {
  const left = Math.floor(px) - 1
  const top = Math.floor(py) - 1
  let sum = 0
  for (let y = top; y < top + 4; y++) {
    for (let x = left; x < left + 4; x++) {
      const value = zeroOutside && !inside(f, x, y) ? 0 : at(f, x, y)
      sum += value * cubic(px - x, a) * cubic(py - y, a)
    }
  }
  return sum
}

function sampleLinear(f: Field, px: number, py: number): number {
  const x = Math.floor(px)
  const y = Math.floor(py)
  const [s, t] = [px - x, py - y]
  const above = at(f, x, y) * (1 - s) + at(f, x + 1, y) * s
  const below = at(f, x, y + 1) * (1 - s) + at(f, x + 1, y + 1) * s
  return above * (1 - t) + below * t
}

/** The second image and its gradient at the moved positions; zeros where those are outside. */
export function warpData(first: Field, second: Field, u: Field, v: Field, p: ReferenceParams): Data {
  const gradientX = centredX(second)
  const gradientY = centredY(second)
  const sample = (f: Field) =>
    field(f.width, f.height, (x, y) => {
      const [tx, ty] = [x + at(u, x, y), y + at(v, x, y)]
      const within = tx >= 0 && ty >= 0 && tx <= f.width - 1 && ty <= f.height - 1
      return within || p.zeroBorder ? sampleCubic(f, tx, ty, p.bicubicA, p.zeroBorder) : 0
    })
  const warped = sample(second)
  const ix = sample(gradientX)
  const iy = sample(gradientY)
  const rhoC = field(first.width, first.height, (x, y) => {
    return at(warped, x, y) - at(ix, x, y) * at(u, x, y) - at(iy, x, y) * at(v, x, y) - at(first, x, y)
  })
  return { ix, iy, rhoC }
}

// ---- Pyramid --------------------------------------------------------------------------------------------------------

function gaussianBlur(f: Field, sigma: number): Field {
  const radius = Math.floor(5 * sigma) + 1
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)))
  const total = weights.reduce((a, b) => a + b)
  const along = (g: Field, dx: number, dy: number) =>
    field(g.width, g.height, (x, y) => {
      let sum = 0
      for (let i = -radius; i <= radius; i++) sum += (weights[i + radius] as number) * at(g, x + i * dx, y + i * dy)
      return sum / total
    })
  return along(along(f, 1, 0), 0, 1)
}

const roundHalfToEven = (x: number): number => {
  const low = Math.floor(x)
  if (x - low !== 0.5) return Math.round(x)
  return low % 2 === 0 ? low : low + 1
}

export function shrink(f: Field, p: ReferenceParams): Field {
  const eta = p.scaleFactor
  if (p.pyramid === 'binomial') {
    const mirror = (i: number, size: number) => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i)
    const weights = [1, 4, 6, 4, 1]
    return field(Math.floor((f.width + 1) / 2), Math.floor((f.height + 1) / 2), (x, y) => {
      let sum = 0
      for (let j = 0; j < 5; j++) {
        for (let i = 0; i < 5; i++) {
          const value = at(f, mirror(2 * x + i - 2, f.width), mirror(2 * y + j - 2, f.height))
          sum += (value * (weights[i] as number) * (weights[j] as number)) / 256
        }
      }
      return sum
    })
  }
  if (p.pyramid === 'gaussian') {
    const smooth = gaussianBlur(f, 0.6 * Math.sqrt(1 / eta ** 2 - 1))
    return field(Math.floor(f.width * eta + 0.5), Math.floor(f.height * eta + 0.5), (x, y) =>
      sampleCubic(smooth, Math.min(x / eta, f.width - 1), Math.min(y / eta, f.height - 1), p.bicubicA),
    )
  }
  return field(roundHalfToEven(f.width * eta), roundHalfToEven(f.height * eta), (x, y) =>
    sampleLinear(
      f,
      Math.min(Math.max((x + 0.5) / eta - 0.5, 0), f.width - 1),
      Math.min(Math.max((y + 0.5) / eta - 0.5, 0), f.height - 1),
    ),
  )
}

export function enlarge(f: Field, width: number, height: number, factor: number, p: ReferenceParams): Field {
  return field(width, height, (x, y) => {
    const px = Math.min(Math.max(((x + 0.5) * f.width) / width - 0.5, 0), f.width - 1)
    const py = Math.min(Math.max(((y + 0.5) * f.height) / height - 0.5, 0), f.height - 1)
    return factor * (p.pyramid === 'gaussian' ? sampleCubic(f, px, py, p.bicubicA) : sampleLinear(f, px, py))
  })
}

export function buildPyramid(f: Field, p: ReferenceParams): Field[] {
  let most = p.scales
  if (p.pyramid === 'gaussian') {
    const fitting = 1 + Math.log(Math.hypot(f.width, f.height) / 16) / Math.log(1 / p.scaleFactor)
    most = Math.max(1, Math.min(p.scales, Math.floor(fitting)))
  }
  const levels = [p.presmoothingSigma > 0 ? gaussianBlur(f, p.presmoothingSigma) : f]
  while (levels.length < most) {
    const next = shrink(levels[levels.length - 1] as Field, p)
    if (Math.min(next.width, next.height) < (p.pyramid === 'gaussian' ? 3 : 16)) break
    levels.push(next)
  }
  return levels
}

// ---- Solver ---------------------------------------------------------------------------------------------------------

export interface Data {
  readonly ix: Field
  readonly iy: Field
  readonly rhoC: Field
}

/** Flow (and the brightness change when γ ≠ 0) with the dual field of each component. */
export interface State {
  readonly u: Field[]
  readonly px: Field[]
  readonly py: Field[]
}

/** The step s of the threshold: d = s·(Ix, Iy), d₃ = s·γ. */
export function thresholdStep(rho: number, ix: number, iy: number, p: ReferenceParams): number {
  const l = p.lambda * p.theta
  const squared = ix ** 2 + iy ** 2
  if (rho < -l * squared) return l
  if (rho > l * squared) return -l
  return squared > p.gradientFloor ? -rho / squared : 0
}

export function iterateOnce(state: State, data: Data, p: ReferenceParams): { state: State; error: number } {
  const { ix, iy, rhoC } = data
  const step = field(ix.width, ix.height, (x, y) => {
    let rho = at(rhoC, x, y)
    state.u.forEach((u, k) => {
      rho += at(u, x, y) * (k === 0 ? at(ix, x, y) : k === 1 ? at(iy, x, y) : p.gamma)
    })
    return thresholdStep(rho, at(ix, x, y), at(iy, x, y), p)
  })
  let error = 0
  const next = state.u.map((u, k) => {
    const div = divergence(state.px[k] as Field, state.py[k] as Field)
    return field(u.width, u.height, (x, y) => {
      const direction = k === 0 ? at(ix, x, y) : k === 1 ? at(iy, x, y) : p.gamma
      const value = at(u, x, y) + at(step, x, y) * direction + p.theta * at(div, x, y)
      error += (value - at(u, x, y)) ** 2
      return value
    })
  })
  const dual = next.map((u, k) => {
    const dx = forwardX(u)
    const dy = forwardY(u)
    const t = p.tau / p.theta
    const update = (old: Field, difference: Field) =>
      field(u.width, u.height, (x, y) => {
        return (at(old, x, y) + t * at(difference, x, y)) / (1 + t * Math.hypot(at(dx, x, y), at(dy, x, y)))
      })
    return [update(state.px[k] as Field, dx), update(state.py[k] as Field, dy)] as const
  })
  return { state: { u: next, px: dual.map(([x]) => x), py: dual.map(([, y]) => y) }, error }
}

export interface ReferenceResult {
  readonly u: Field
  readonly v: Field
  /** Inner iterations of each warp, finest level first. */
  readonly iterations: number[][]
}

/** The whole method on a pair of images with values 0–255. */
export function solveReference(
  first: Field,
  second: Field,
  params: Partial<ReferenceParams> = {},
  init?: { u: Field; v: Field },
): ReferenceResult {
  const p = { ...referenceDefaults, ...params }
  const [stretchedFirst, stretchedSecond] = p.stretchInput ? stretch(first, second) : [first, second]
  const firsts = buildPyramid(stretchedFirst, p)
  const seconds = buildPyramid(stretchedSecond, p)
  const unknowns = p.gamma === 0 ? 2 : 3
  const iterations: number[][] = []

  const coarsest = firsts[firsts.length - 1] as Field
  let u = Array.from({ length: unknowns }, () => zeros(coarsest))
  if (init) {
    const shrunk = [init.u, init.v].map((component) => {
      let f = component
      for (let level = 1; level < firsts.length; level++) {
        const next = shrink(f, p)
        f = field(next.width, next.height, (x, y) => at(next, x, y) * p.scaleFactor)
      }
      return f
    })
    u = [...shrunk, ...u.slice(2)]
  }
  for (let level = firsts.length - 1; level >= 0; level--) {
    const image = firsts[level] as Field
    if (level < firsts.length - 1) {
      u = u.map((f, k) => enlarge(f, image.width, image.height, k < 2 ? 1 / p.scaleFactor : 1, p))
    }
    let state: State = { u, px: u.map(zeros), py: u.map(zeros) }
    const limit = p.epsilon ** 2 * image.width * image.height
    const made: number[] = []
    for (let warp = 0; warp < p.warps; warp++) {
      const data = warpData(image, seconds[level] as Field, state.u[0] as Field, state.u[1] as Field, p)
      let error = Number.POSITIVE_INFINITY
      let count = 0
      for (let outer = 0; outer < p.outerIterations && error > limit; outer++) {
        if (p.medianFilter) state = { ...state, u: state.u.map((f, k) => (k < 2 ? median5x5(f) : f)) }
        for (let inner = 0; inner < p.innerIterations && error > limit; inner++) {
          const next = iterateOnce(state, data, p)
          state = next.state
          error = next.error
          count++
        }
      }
      made.push(count)
    }
    iterations.unshift(made)
    u = [...state.u]
  }
  return { u: u[0] as Field, v: u[1] as Field, iterations }
}

function stretch(first: Field, second: Field): [Field, Field] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const value of [...first.data, ...second.data]) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const scale = (f: Field) =>
    field(f.width, f.height, (x, y) => (high > low ? ((at(f, x, y) - low) * 255) / (high - low) : at(f, x, y) - low))
  return [scale(first), scale(second)]
}

// ---- What the tests measure -----------------------------------------------------------------------------------------

/** Mean end-point error against a constant or a field, `margin` pixels inside the border. */
export function endPointError(
  u: Field,
  v: Field,
  truth: (x: number, y: number) => readonly [number, number],
  margin = 0,
): number {
  let sum = 0
  let count = 0
  for (let y = margin; y < u.height - margin; y++) {
    for (let x = margin; x < u.width - margin; x++) {
      const [tu, tv] = truth(x, y)
      sum += Math.hypot(at(u, x, y) - tu, at(v, x, y) - tv)
      count++
    }
  }
  return sum / count
}

/** Σ |∇u| + |∇v|. */
export function totalVariation(u: Field, v: Field): number {
  let sum = 0
  for (const f of [u, v]) {
    const dx = forwardX(f)
    const dy = forwardY(f)
    for (let i = 0; i < f.data.length; i++) sum += Math.hypot(dx.data[i] as number, dy.data[i] as number)
  }
  return sum
}

/** |second(x + u, y + v) − first(x, y)| where the target is inside, 0 elsewhere. */
export function warpedResidual(first: Field, second: Field, u: Field, v: Field, a = -0.5): Field {
  return field(first.width, first.height, (x, y) => {
    const [tx, ty] = [x + at(u, x, y), y + at(v, x, y)]
    if (tx < 0 || ty < 0 || tx > first.width - 1 || ty > first.height - 1) return 0
    return Math.abs(sampleCubic(second, tx, ty, a) - at(first, x, y))
  })
}

/** E(u), not linearised. */
export function energy(first: Field, second: Field, u: Field, v: Field, lambda: number): number {
  const data = warpedResidual(first, second, u, v).data.reduce((a, b) => a + b, 0)
  return totalVariation(u, v) + lambda * data
}
