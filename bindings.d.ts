/**
 * The native functions, as `lib/native` sees them. Everything an operator does goes through `invoke`; what remains
 * here is what no operator can do: move bytes, manage handles, and speak of the process and the machine.
 *
 * A tensor is a handle: a number that names a slot of the environment's table and the slot's generation. Calls are laid
 * out in the frame, an ArrayBuffer that both sides read and write (lib/native/frame.ts describes the layout).
 */

/** `build/Release/vision_native.node`: opens shared libraries; links no LibTorch. */
export interface Loader {
  /** dlopen with RTLD_NOW | RTLD_LOCAL; the library is never closed. Throws with the dynamic linker's message. */
  open(path: string): void
  /** True when a library of this SONAME or path is already in the process. */
  isOpen(path: string): boolean
  /** Version of the running C library, such as "2.36". */
  glibcVersion(): string
}

/** What `define` learnt of a function: the names its options may have, in the frame's order. */
export interface FunctionInfo {
  readonly id: number
  readonly options: readonly string[]
}

/** `libvision_native_node.so`: the bridge. One object per environment (main thread or worker). */
export interface Bridge {
  /** Hands over the frame and the way errors are made. Called again with a larger frame when a call does not fit. */
  attach(frame: ArrayBuffer, makeError: (kind: string, message: string) => Error): void
  /** Text of every schema that the dispatcher knows, such as `aten::add.Tensor(Tensor self, …) -> Tensor`. */
  schemas(): string[]
  /** Registers a function with its candidate overloads in the order they are tried (`''` is the default overload). */
  define(name: string, overloads: readonly string[]): FunctionInfo
  /** Gives a string of a call an id. */
  intern(text: string): number
  /** Forgets all interned strings. */
  resetStrings(): void

  /** Runs the call in the frame and leaves its results there. Throws what `makeError` made, as all of these do. */
  invoke(): void
  /** Copies results that did not fit into the frame, after a larger one was attached. */
  fetchResults(): void
  /** Takes the call in the frame to the thread pool. `settle` is called on this thread with the results in the frame. */
  invokeAsync(
    settle: (error?: Error) => void,
    progress: ((stage: string, done: number, total: number) => void) | undefined,
  ): number
  /** Asks a running call to stop; it settles as cancelled, or as done when it was quicker. */
  cancel(job: number): void

  /** Frees the `count` handles at the start of the frame; stale ones are ignored. */
  free(count: number): void
  /** Lays out dtype, device, requires-grad, version, sizes and strides of the handle at the start of the frame. */
  describe(): void
  /** A tensor from a copy of the view's bytes; dtype and sizes are in the frame. */
  fromBytes(bytes: ArrayBufferView): number
  /** Copies the elements of a handle, contiguous, into a view of exactly that many bytes. */
  toBytes(handle: number, bytes: ArrayBufferView): void
  /** As `toBytes`, on the thread pool, into a buffer that JavaScript does not touch meanwhile. */
  toBytesAsync(handle: number, buffer: ArrayBuffer, settle: (error?: Error) => void): number
  /** A handle of the gradient of a leaf, or 0. */
  grad(handle: number): number
  setGrad(handle: number, grad: number): void

  /** Begins to write down calls; the handles of the inputs are at the start of the frame. */
  beginCapture(inputs: number): void
  /** Ends it; the handles of the outputs are at the start of the frame. Returns the graph's id. */
  endCapture(outputs: number, optimize: boolean): number
  abortCapture(): void
  /** Runs a graph on this thread: handles of inputs at the start of the frame, results as those of `invoke`. */
  runGraph(graph: number): void
  /** Runs it on the thread pool; as `invokeAsync`. */
  runGraphAsync(graph: number, settle: (error?: Error) => void): number
  /**
   * Whether a run may use the graph: 0 yes; 1 no, as a leaf has a gradient now and had none at capture, or the reverse;
   * 2 never again, as a tensor that it holds has another dtype, device, shape, strides or requires-grad than at capture.
   */
  graphFit(graph: number): number
  graphText(graph: number): string
  freeGraph(graph: number): void
  /** Equal texts for equal modes of this thread: gradients, inference, autocast. */
  modesKey(): string

  /** A random generator as a handle: `device` such as "cpu", "cuda:0". */
  generator(device: string, seed: bigint): number
  freeGenerator(generator: number): void
  manualSeed(seed: bigint): void

  /**
   * Calls `hook` with a handle when a gradient of the tensor has been computed: with the gradient, which the handle it
   * returns replaces (0: it stays), or, for `postAccumulate`, with the leaf itself. `site` is where it was registered.
   */
  registerHook(handle: number, postAccumulate: boolean, hook: (handle: number) => number, site: string): number
  removeHook(hook: number): void
  /** Name of the node that computed a tensor, such as "MulBackward0"; empty for a leaf. */
  gradFunction(handle: number): string
  /** Anomaly mode, for the whole process; `site` tells the line that JavaScript is at. */
  setAnomaly(on: boolean, checkNan: boolean, site: () => string): void
  /** 0 off, 1 on, 2 on with a search for NaN. */
  anomaly(): number

  gradEnabled(): boolean
  setGradEnabled(on: boolean): void
  inferenceMode(): boolean
  setInferenceMode(on: boolean): void
  /**
   * Sets the modes of mixed precision of a kind of device ("cpu", "cuda") and returns those before: bit 0 enabled, bit 1
   * keeps weights that were cast, 4 × dtype code. Each call needs its `leaveAutocast` with what it returned.
   */
  enterAutocast(device: string, modes: number): number
  leaveAutocast(device: string, modes: number): void
  autocastModes(device: string): number
  clearAutocastCache(): void

  /** A name for tensors that are dropped together should the thread that sends them end. */
  openChannel(): number
  /** Drops what waits there and refuses more; returns how many tensors that were. */
  closeChannel(channel: number): number
  /** Gives up the `count` handles at the start of the frame and leaves tokens in their place. Channel 0 is always open. */
  exportTensors(count: number, channel: number): void
  /** The reverse, in another environment; a token is used once. */
  adoptTensors(count: number): void
  /** Frees what waits under `count` tokens at the start of the frame; returns how many tensors that were. */
  dropTensors(count: number): number
  /** Tensors that were exported and neither adopted nor dropped, in the whole process. */
  tensorsOnTheirWay(): number
  /** Calls of this thread use no other processor from now on; other threads and the pool are left as they are. */
  useOneThread(): void

  /** Of the whole process: 0 off; 1 operators that cannot give equal bits again are refused; 2 they are told of. */
  deterministic(): number
  setDeterministic(mode: number): void

  numThreads(): number
  setNumThreads(threads: number): void
  libtorchVersion(): string
  cpuCapability(): string
  cudaDeviceCount(): number

  memory(): {
    tensors: number
    storages: number
    bytes: Record<string, number>
    allocatedCpuBytes: number
    peakCpuBytes: number
    limitCpuBytes: number
  }
  setCpuMemoryLimit(bytes: number): void
  resetPeakMemory(): void
  /** The longest time a native call has held this thread since the last call of this function. */
  longestCallMs(): number
}
