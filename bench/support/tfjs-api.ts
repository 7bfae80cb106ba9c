// What the benchmarks use of tfjs, which is installed when they first run and whose types are not there before.

/** A tensor of tfjs. */
export interface TfTensor {
  readonly shape: readonly number[]
  data(): Promise<Float32Array>
  dataSync(): Float32Array
  dispose(): void
}

export type TfActivation = 'linear' | 'relu' | 'relu6'

export interface TfConvolution {
  readonly x: TfTensor
  readonly filter: TfTensor
  readonly strides: number
  readonly pad: number
  readonly dimRoundingMode: 'floor'
  readonly bias: TfTensor
  readonly activation: TfActivation
}

export interface Tf {
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
  tensor(values: Float32Array, shape: readonly number[]): TfTensor
  tidy<T>(fn: () => T): T
  relu(x: TfTensor): TfTensor
  add(a: TfTensor, b: TfTensor): TfTensor
  mean(x: TfTensor, axes: readonly number[]): TfTensor
  maxPool(x: TfTensor, size: number, stride: number, pad: number, rounding: 'floor'): TfTensor
  readonly fused: {
    conv2d(options: TfConvolution): TfTensor
    depthwiseConv2d(options: TfConvolution): TfTensor
    matMul(options: { readonly a: TfTensor; readonly b: TfTensor; readonly bias: TfTensor }): TfTensor
  }
}

/** Its WebAssembly backend. */
export interface TfWasm {
  setWasmPaths(folder: string): void
  setThreadsCount(threads: number): void
}
