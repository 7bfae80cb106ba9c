/**
 * Parameters of TV-L1 flow; names as in the papers.
 *
 * λ is tuned for images on the scale 0–255, to which inputs are brought.
 */
export interface Tvl1Params {
  /** Step τ of the dual update; above ¼ the method may diverge. */
  readonly tau: number
  /** Weight λ of the data term: smaller is smoother. */
  readonly lambda: number
  /** Coupling θ between the smooth and the data-driven flow: smaller is tighter and slower. */
  readonly theta: number
  /** Most levels of the pyramid, 1 to 100; it ends earlier when a level would be too small. */
  readonly scales: number
  /** Size η of a level relative to the one below it. */
  readonly scaleFactor: number
  /** Times the second image is warped at each level. */
  readonly warps: number
  /** Iterations at a warp stop when the mean |Δu|² is at most ε². */
  readonly epsilon: number
  /** Rounds of a warp; each begins with the median filter, if that is on. */
  readonly outerIterations: number
  /** Most iterations of a round. */
  readonly innerIterations: number
  /** Filters u and v by a 5×5 median at the start of each round. */
  readonly medianFilter: boolean
  /** Weight γ of a third unknown, the change of brightness; 0 leaves it out. */
  readonly gamma: number
  /** Squared image gradients up to this switch the data term off. */
  readonly gradientFloor: number
  /** Constant a of bicubic sampling. */
  readonly bicubicA: number
  /** Samples the warped image with zeros around it, as OpenCV 5 does, instead of repeating its border. */
  readonly zeroBorder: boolean
  /** Rounds warped positions to 1/steps px, as OpenCV before version 5 does with 32; 0 does not round. */
  readonly coordinateSteps: number
  /**
   * `bilinear`: resize without low-pass. `binomial`: (1 4 6 4 1)/16 and every second pixel, for η = ½.
   * `gaussian`: Gaussian and bicubic sampling, levels down to a diagonal of about 16 px, flow enlarged bicubically.
   */
  readonly pyramid: 'bilinear' | 'binomial' | 'gaussian'
  /** Stretches the two images of each pair to 0–255 by their common extremes. */
  readonly stretchInput: boolean
  /** Standard deviation in pixels of a Gaussian filter before everything else; 0 leaves it out. */
  readonly presmoothingSigma: number
  /** Iterations between two tests of the error, 1 to 8; 0 leaves it to the device: 1 on the CPU, 4 on CUDA. */
  readonly blockSize: number
}

/**
 * Published settings.
 *
 * - `opencv-cpu`: DualTVL1 of OpenCV's contrib modules; the default
 * - `opencv24-cuda`: OpenCV 2.4's GPU module, which recovers larger motion
 * - `opencv-cuda`: OpenCV's later CUDA module
 * - `ipol`: Sánchez, Meinhardt-Llopis, Facciolo, IPOL 2013
 */
export type Tvl1Preset = 'opencv-cpu' | 'opencv24-cuda' | 'opencv-cuda' | 'ipol'

const opencvCpu: Tvl1Params = {
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
  gradientFloor: 2 ** -23,
  bicubicA: -0.5,
  zeroBorder: false,
  coordinateSteps: 0,
  pyramid: 'bilinear',
  stretchInput: false,
  presmoothingSigma: 0,
  blockSize: 0,
}

const opencvCuda: Tvl1Params = { ...opencvCpu, outerIterations: 1, innerIterations: 300, medianFilter: false }

export const tvl1Presets: Readonly<Record<Tvl1Preset, Tvl1Params>> = {
  'opencv-cpu': opencvCpu,
  'opencv24-cuda': { ...opencvCuda, scaleFactor: 0.5, pyramid: 'binomial' },
  'opencv-cuda': opencvCuda,
  ipol: {
    ...opencvCuda,
    scales: 100,
    scaleFactor: 0.5,
    gradientFloor: 1e-10,
    pyramid: 'gaussian',
    stretchInput: true,
    presmoothingSigma: 0.8,
  },
}
