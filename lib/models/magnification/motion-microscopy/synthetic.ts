// Pictures with known motion, from formulas, so that any language gets the same.
import { arange, complex, fftIfft2, real, type Tensor, tanh, tensor, tidy } from '../../../tensor'

const SIZE = 128

/** Waves of the test texture: the half plane of |(p, q)| ≤ 40. */
function waves(): { p: number; q: number; amplitude: number; phase: number }[] {
  const found: { p: number; q: number; amplitude: number; phase: number }[] = []
  for (let q = 0; q <= 40; q++) {
    for (let p = -40; p <= 40; p++) {
      if (p * p + q * q > 1600 || (q === 0 && p <= 0)) continue
      const turns = 43758.5453 * Math.sin(12.9898 * p + 78.233 * q)
      found.push({
        ...{ p, q },
        amplitude: Math.exp(-(p * p + q * q) / 512),
        phase: 2 * Math.PI * (turns - Math.floor(turns)),
      })
    }
  }
  const power = found.reduce((sum, { amplitude }) => sum + amplitude ** 2 / 2, 0)
  return found.map((wave) => ({ ...wave, amplitude: (wave.amplitude * 0.12) / Math.sqrt(power) }))
}

const WAVES = waves()

/** The periodic texture of 128 × 128 pixels, moved by (u, v) pixels. */
export function texture(u = 0, v = 0): Tensor {
  const spectrum = { real: new Float64Array(SIZE * SIZE), imaginary: new Float64Array(SIZE * SIZE) }
  for (const { p, q, amplitude, phase } of WAVES) {
    const at = q * SIZE + ((p + SIZE) % SIZE)
    const angle = phase - (2 * Math.PI * (p * u + q * v)) / SIZE
    spectrum.real[at] = amplitude * Math.cos(angle)
    spectrum.imaginary[at] = amplitude * Math.sin(angle)
  }
  return tidy(() => {
    const [parts, turned] = [spectrum.real, spectrum.imaginary].map((values) => tensor(values, { shape: [SIZE, SIZE] }))
    return real(fftIfft2(complex(parts as Tensor, turned as Tensor)))
      .mul(SIZE * SIZE)
      .add(0.5)
  })
}

/** A vertical edge with faint texture, moved by u; turned about its middle by `degrees` where that is asked for. */
export function edge(u = 0, { degrees = 0, faint = 0.004 } = {}): Tensor {
  return tidy(() => {
    const axis = arange(0, 128, { dtype: 'float64' }).sub(63.5)
    const angle = (degrees * Math.PI) / 180
    const across = axis
      .mul(Math.cos(angle))
      .unsqueeze(0)
      .add(axis.mul(Math.sin(angle)).unsqueeze(1))
      .sub(u)
    const step = tanh(across.div(1.5)).mul(0.3).add(0.5)
    return faint === 0
      ? step
      : step.add(
          texture(u, 0)
            .sub(0.5)
            .mul(faint / 0.12),
        )
  })
}

/** A grating 0.5 + 0.2 cos(2π(p (x − u) + q y)/128). */
export function grating(p: number, q: number, u = 0): Tensor {
  return tidy(() => {
    const axis = arange(0, 128, { dtype: 'float64' })
    const phase = axis.sub(u).mul(p).unsqueeze(0).add(axis.mul(q).unsqueeze(1))
    return phase
      .mul((2 * Math.PI) / 128)
      .cos()
      .mul(0.2)
      .add(0.5)
  })
}

/** Motion of the sinusoid that sensitivity is measured with: cycles a frame, and of an RMS of 1. */
export function sway(t: number): number {
  return Math.SQRT2 * Math.sin(2 * Math.PI * 0.11 * t)
}
