import type { Row } from './support/result'

export interface Context {
  /** Python with the peers of bench/requirements.txt. */
  readonly python: string
  readonly threads: number
}

export interface Benchmark {
  readonly title: string
  /** What a reader of the results must know, in full sentences. */
  readonly note?: string
  /** Rows of the comparison, and other figures by name. */
  run(context: Context): Promise<{ readonly rows: readonly Row[]; readonly [figure: string]: unknown }>
}

/** What `npm run bench -- NAME` runs. */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  backbones: {
    title: 'time of a forward pass of five published networks, beside PyTorch and onnxruntime',
    run: async (context) => (await import('./backbones')).backbones(context),
  },
  'binary-conv3d': {
    title: 'time of binary 3D convolution: layers of C3D, training, a whole clip; beside LibTorch in float32',
    run: async (context) => (await import('./binary-conv3d')).binaryConv3dTime(context),
  },
  bm3d: {
    title: 'time of BM3D on a photograph, beside the package of the method’s authors',
    run: async (context) => (await import('./bm3d')).bm3dTime(context),
  },
  'call-overhead': {
    title: 'time of a call on tiny tensors, beside PyTorch in Python; memory over many calls',
    run: async (context) => (await import('./call-overhead')).callOverhead(context),
  },
  'capsule-routing': {
    title: 'time of capsule routing at the shape of the iris matcher, beside LibTorch’s operators',
    run: async (context) => (await import('./capsule-routing')).capsuleRoutingTime(context),
  },
  components: {
    title: 'time of connected components and of the watershed, beside OpenCV’s, scikit-image’s and cc3d’s',
    run: async (context) => (await import('./components')).componentsTime(context),
  },
  'content-aware-upsample': {
    title: 'time of content-aware upsampling, beside LibTorch’s operators',
    run: async () => (await import('./content-aware-upsample')).contentAwareUpsampleTime(),
  },
  correlation: {
    title: 'time of correlation and of upfirdn2d, beside LibTorch’s operators',
    run: async () => (await import('./correlation')).correlationTime(),
  },
  'data-loading': {
    title: 'time to make batches of JPEG files, beside PyTorch’s DataLoader; how long training waits for them',
    run: async (context) => (await import('./data-loading')).dataLoading(context),
  },
  denoise: {
    title: 'decibels of STN, trained on noisy photographs alone, beside BM3D and OpenCV’s fast non-local means',
    run: async (context) => (await import('./denoise')).denoise(context),
  },
  'detection-ops': {
    title: 'time of nms, RoIAlign and deformable convolution, beside torchvision',
    run: async (context) => (await import('./detection-ops')).detectionOps(context),
  },
  distributed: {
    title: 'time of a training step by one process and by two, beside DistributedDataParallel in Python',
    note: 'The same batch of 32 in both: each of two processes has a half of it and one core, and gradients travel over Gloo on this machine.',
    run: async (context) => (await import('./distributed')).distributed(context),
  },
  'event-loop': {
    title: 'how free the event loop is while a flow is solved, and how soon an abort stops it',
    run: async () => ({ rows: [], ...(await (await import('./event-loop')).eventLoop()) }),
  },
  inference: {
    title: 'time of a forward pass, captured and optimized, beside PyTorch, onnxruntime and tfjs',
    run: async (context) => (await import('./inference')).inference(context),
  },
  floor: {
    title: 'memory bandwidth and arithmetic of this machine, through LibTorch',
    run: async () => (await import('./floor')).floor(),
  },
  'guided-filter': {
    title: 'time of the guided filter at 1080p, beside OpenCV’s and a composition of LibTorch’s',
    run: async (context) => (await import('./guided-filter')).guidedFilterTime(context),
  },
  search: {
    title: 'time of searches among points and among rows, beside LibTorch’s cdist, BLAS and topk',
    run: async (context) => (await import('./search')).searchTime(context),
  },
  systems: {
    title: 'throughput and peak of memory of the systems, beside the same networks composed in PyTorch',
    note: 'Ours is a captured, optimized graph (the whole pipeline for motion-microscopy); the peer is eager and uses PyTorch’s own operators alone, with the same weights and inputs. The peak is what a pass takes beside weights and inputs: the most that is resident in a process of its own, less what was before. For ours it is taken in the first run of a new graph, so the memory that a graph keeps and the weights that it reorders count.',
    run: async (context) => (await import('./systems')).systems(context),
  },
  'train-step': {
    title: 'time of a training step, captured and eager, beside eager PyTorch',
    run: async (context) => (await import('./train-step')).trainStep(context),
  },
  transforms: {
    title: 'time of transforms of images, beside torchvision',
    run: async (context) => ({ rows: (await (await import('./transforms')).transformsTime(context)).rows }),
  },
  'tvl1-accuracy': {
    title: 'end-point error of TV-L1 flow on RubberWhale, beside OpenCV’s methods',
    run: async ({ python }) => ({ rows: await (await import('./tvl1-accuracy')).tvl1Accuracy(python) }),
  },
  'tvl1-flow': {
    title: 'time of TV-L1 flow with its defaults, beside OpenCV’s DualTVL1',
    run: async (context) => (await import('./tvl1-flow')).tvl1FlowTime(context),
  },
  'video-decode': {
    title: 'a ten-minute video decoded as a stream: memory, and time beside OpenCV’s VideoCapture',
    run: async (context) => (await import('./video-decode')).videoDecode(context),
  },
}
