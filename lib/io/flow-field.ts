/** A flow file's content: what the formats share, without a tensor. */
export interface FlowField {
  readonly width: number
  readonly height: number
  /** All u, then all v, in pixels, row-major; 0 where unknown. */
  readonly vectors: Float32Array
  /** 1 where the flow is known. */
  readonly valid: Uint8Array
}

/** Components beyond this stand for "unknown" in Middlebury's files. */
export const UNKNOWN_ABOVE = 1e9
