// What the benchmarks use of their JavaScript peers. They are installed when a benchmark asks for them, so the types
// that they bring are not there when the project is checked.
declare module '@tensorflow/tfjs' {
  export interface Tensor {
    data(): Promise<Float32Array>
    dispose(): void
  }
  type Activation = 'linear' | 'relu' | 'relu6'
  interface ConvOptions {
    readonly x: Tensor
    readonly filter: Tensor
    readonly strides: number
    readonly pad: number
    readonly dimRoundingMode: 'floor'
    readonly bias: Tensor
    readonly activation: Activation
  }
  export const fused: {
    conv2d(options: ConvOptions): Tensor
    depthwiseConv2d(options: ConvOptions): Tensor
    matMul(options: { readonly a: Tensor; readonly b: Tensor; readonly bias: Tensor }): Tensor
  }
  export function tensor(values: Float32Array, shape: readonly number[]): Tensor
  export function maxPool(x: Tensor, size: number, strides: number, pad: number, rounding: 'floor'): Tensor
  export function relu(x: Tensor): Tensor
  export function add(a: Tensor, b: Tensor): Tensor
  export function mean(x: Tensor, axes: readonly number[]): Tensor
  export function tidy<T>(fn: () => T): T
  export function setBackend(name: 'wasm'): Promise<boolean>
  export function ready(): Promise<void>
}

declare module '@tensorflow/tfjs-backend-wasm' {
  export function setWasmPaths(folder: string): void
  export function setThreadsCount(threads: number): void
}
