// What the loop over all networks does not see of those for clips, frames, points and graphs.
import { describe, expect, test } from 'vitest'
import {
  ballNeighbours,
  c3d,
  edgeFeatures,
  GCNConv,
  gat,
  hrnetW18,
  i3dRgb,
  kernelPointDisposition,
  kpcnn,
  kpfcnn,
  packPathways,
  pointnetCls,
  pointPyramid,
  r3d_18,
  raftSmall,
  SAGEConv,
  s3d,
  slowfastR50,
  suppressPredictions,
  transformRegularizer,
  yolov5n,
} from '../../lib/backbones'
import { LAYOUTS, loadPublished } from '../../lib/backbones/layouts'
import { skipInit } from '../../lib/nn'
import { arange, cat, eye, manualSeed, noGrad, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { fillWithHash, hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

const near = (value: number, expected: number, share: number) =>
  expect(Math.abs(value / expected - 1)).toBeLessThan(share)

describe('first values', () => {
  test('of R3D keep the variance of gradients: √(2 / fanOut); its classifier has deviation 0.01', () => {
    tidy(() => {
      manualSeed(1)
      const network = r3d_18({ numClasses: 50 })
      const conv = network.stateDict().get('layer2.1.conv1.0.weight') as Tensor
      near(conv.std().toNumber(), Math.sqrt(2 / (128 * 27)), 0.02)
      near(network.fc.weight.std().toNumber(), 0.01, 0.05)
      expect((network.fc.bias as Tensor).abs().max().toNumber()).toBe(0)
    })
  })

  test('of C3D are the fillers of its release: biases 1, but 0 in the first layer and the last', () => {
    tidy(() => {
      manualSeed(1)
      const network = c3d({ numClasses: 10 })
      near(network.conv3a.weight.std().toNumber(), 0.01, 0.02)
      near(network.fc7.weight.std().toNumber(), 0.005, 0.02)
      const biases = [network.conv1, network.conv2, network.fc6, network.fc8].map(({ bias }) =>
        (bias as Tensor).mean().toNumber(),
      )
      expect(biases).toEqual([0, 1, 1, 0])
    })
  })

  test('of SlowFast let every block begin as its shortcut', () => {
    tidy(() => {
      const state = slowfastR50({ numClasses: 2 }).stateDict()
      const last = [...state].filter(([name]) => name.endsWith('norm_c.weight'))
      expect(last.length).toBe(32)
      for (const [, weight] of last) expect(weight.abs().max().toNumber()).toBe(0)
    })
  })

  test('of GCN are Glorot’s', () => {
    tidy(() => {
      manualSeed(2)
      const { lin, bias } = new GCNConv(300, 100)
      const bound = Math.sqrt(6 / 400)
      expect(lin.weight.abs().max().toNumber()).toBeLessThanOrEqual(bound)
      near(lin.weight.std().toNumber(), bound / Math.sqrt(3), 0.02)
      expect((bias as Tensor).abs().max().toNumber()).toBe(0)
    })
  })
})

describe('sizes that do not fit', () => {
  const wrong = (name: string, run: () => unknown, message: RegExp) =>
    test(`${name} says what it needs`, () => {
      tidy(() => noGrad(() => expect(() => run()).toThrow(message)))
    })

  wrong(
    'C3D',
    () =>
      skipInit(() => c3d())
        .eval()
        .forward(zeros([1, 3, 16, 64, 64])),
    /takes 8192; give 16 frames of 112/,
  )
  wrong('I3D', () => skipInit(() => i3dRgb()).forward(zeros([1, 3, 8, 224, 224])), /9 frames or more of at least 193/)
  wrong('S3D', () => skipInit(() => s3d()).forward(zeros([1, 3, 16, 112, 112])), /13 frames or more of at least 209/)
  wrong('RAFT', () => raftSmall().forward(zeros([1, 3, 130, 128]), zeros([1, 3, 130, 128])), /multiples of 8/)
  wrong(
    'RAFT with small frames',
    () => raftSmall().forward(zeros([1, 3, 64, 128]), zeros([1, 3, 64, 128])),
    /128 × 128/,
  )
  wrong('HRNet', () => skipInit(() => hrnetW18()).forward(zeros([1, 3, 48, 64])), /multiples of 32/)
  wrong('PointNet', () => skipInit(() => pointnetCls()).forward(zeros([2, 100, 3])), /transpose\(1, 2\)/)
  wrong('a graph layer', () => new SAGEConv(4, 2).forward(zeros([5, 4]), zeros([7, 2], { dtype: 'int64' })), /\[2, E\]/)
  wrong('GAT', () => gat({ hiddenChannels: 10, heads: 3 }), /10 hidden channels do not divide into 3 heads/)
  wrong('edgeFeatures', () => edgeFeatures(zeros([1, 3, 4]), 5), /4 points, fewer than the 5/)
  wrong('R3D', () => skipInit(() => r3d_18()).forward(zeros([1, 4, 8, 32, 32])), /expects 3 input channels.*has 4|4/)
})

test('packPathways takes every fourth frame, evenly from first to last', () => {
  tidy(() => {
    const clip = arange(32, { dtype: 'float32' }).view([1, 1, 32, 1, 1])
    const [slow, fast] = packPathways(clip)
    // ⌊i · 31 / 7⌋
    expect(slow.flatten().toArray()).toEqual([0, 4, 8, 13, 17, 22, 26, 31])
    expect(fast.size(2)).toBe(32)
    // ⌊i · 31 / 3⌋
    expect(packPathways(clip, 8)[0].flatten().toArray()).toEqual([0, 10, 20, 31])
    expect(() => packPathways(zeros([1, 3, 3, 8, 8]))).toThrow(/4 frames or more/)
    expect(() => packPathways(zeros([1, 3, 7, 8, 8]), 8)).toThrow(/8 frames or more/)
    expect(() => packPathways(clip, 2.5)).toThrow(/ratio is 2.5/)
  })
})

describe('layers over graphs', () => {
  // 0 → 1, 2 → 1, and an edge of weight 3 from 2 to itself.
  const edges = () =>
    tensor([
      [0n, 2n, 2n],
      [1n, 1n, 2n],
    ])

  test('GCN is D^(−½) (A + I) D^(−½) X W; an edge to itself that is there keeps its weight', () => {
    tidy(() => {
      const layer = new GCNConv(1, 1)
      noGrad(() => layer.lin.weight.fill_(1))
      const out = layer.forward(tensor([[2], [5], [7]]), edges(), tensor([1, 1, 3]))
      // Degrees of arriving edges with loops: 1, 3, 3.
      const expected = [2, 2 / Math.sqrt(3) + 5 / 3 + 7 / 3, (3 * 7) / 3]
      for (const [i, value] of expected.entries()) expect(out.at(i, 0).toNumber()).toBeCloseTo(value, 5)
    })
  })

  test('GraphSAGE takes the neighbours’ mean or largest, 0 where there are none', () => {
    tidy(() => {
      const gathered = (aggregation: 'mean' | 'max') => {
        const layer = new SAGEConv(1, 1, { aggregation, bias: false })
        noGrad(() => {
          layer.linL.weight.fill_(1)
          layer.linR.weight.fill_(0)
        })
        return layer
          .forward(tensor([[-2], [5], [-7]]), edges())
          .flatten()
          .toArray()
      }
      expect(gathered('mean')).toEqual([0, -4.5, -7])
      expect(gathered('max')).toEqual([0, -2, -7])
    })
  })
})

describe('kernel points', () => {
  test('are one at the centre and the rest spread around it', () => {
    const points = kernelPointDisposition(15, 2)
    expect(points[0]).toEqual([0, 0, 0])
    const lengths = points.slice(1).map((point) => Math.hypot(...point))
    near(lengths.reduce((sum, length) => sum + length) / 14, 1.32, 1e-9)
    const apart = points.flatMap((a, i) =>
      points.slice(i + 1).map((b) => Math.hypot(...a.map((v, d) => v - (b[d] ?? 0)))),
    )
    // Fourteen points on a sphere can be no closer than about 0.9 radii if they are well spread.
    expect(Math.min(...apart)).toBeGreaterThan(0.8)
  })

  test('pointPyramid thins clouds, and looks for neighbours within a cloud only', () => {
    tidy(() => {
      const first = tensor([
        [0.1, 0.1, 0.1],
        [0.6, 0.1, 0.1],
        [1.2, 0.1, 0.1],
      ])
      const clouds = [first, tensor([[0.2, 0.2, 0.2]])]
      const made = pointPyramid(clouds, { cell: 0.5, levels: 2, radius: 1.1, maxNeighbours: 2 })
      expect(made.lengths).toEqual([
        [3, 1],
        [2, 1],
      ])
      // Cells of 1: the first two points share one.
      const [mean, alone, other] = [tensor([[0.35, 0.1, 0.1]]), first.narrow(0, 2, 1), clouds[1] as Tensor]
      expect(made.points[1]?.allclose(cat([mean, alone, other]))).toBe(true)
      // Within 0.55, then within 1.1; 4 and 3 stand for none.
      expect(made.neighbours.map((each) => each.to('float64').toArray())).toEqual([
        [
          [0, 1],
          [1, 0],
          [2, 4],
          [3, 4],
        ],
        [
          [0, 1],
          [1, 0],
          [2, 3],
        ],
      ])
      expect(made.pools.map((each) => (each.sort()[0] as Tensor).to('float64').toArray())).toEqual([
        [
          [0, 1],
          [2, 4],
          [3, 4],
        ],
      ])
      expect(made.upsamples.map((each) => each.to('float64').toArray())).toEqual([[[0], [0], [1], [2]]])
      expect(() => pointPyramid([zeros([0, 3])], { cell: 1 })).toThrow(/points in it/)
      expect(() => pointPyramid(clouds, { cell: 0 })).toThrow(/cell is 0/)
    })
  })

  test('KPCNN and KPFCNN read clouds in a batch as each alone, and say what they lack', () => {
    noGrad(() =>
      tidy(() => {
        manualSeed(3)
        const options = { firstChannels: 16, numClasses: 4, inChannels: 2, cell: 0.25, momentum: 0.1 }
        const clouds = [hashTensor('first', [40, 3]), hashTensor('second', [25, 3])]
        const features = [hashTensor('a', [40, 2]), hashTensor('b', [25, 2])]
        const pyramid = { cell: 0.25, radius: 2.5 }
        for (const network of [kpcnn(options), kpfcnn(options)]) {
          network.eval()
          const together = network.forward(cat(features), pointPyramid(clouds, pyramid))
          const each = clouds.map((cloud, i) => network.forward(features[i] as Tensor, pointPyramid([cloud], pyramid)))
          expect(together.allclose(cat(each), { rtol: 1e-4, atol: 1e-5 })).toBe(true)
          expect(() => network.forward(cat(features), pointPyramid(clouds, { ...pyramid, levels: 2 }))).toThrow(
            /level 1 and the next; the pyramid has 2/,
          )
        }
        expect(() => kpfcnn({ firstChannels: 6 })).toThrow(/firstChannels is 6/)
        expect(() => kpfcnn({ architecture: ['simple_strided', 'unary'] })).toThrow(/as many 'nearest_upsample'/)
      }),
    )
  })

  test('ballNeighbours writes the number of points where there are fewer', () => {
    tidy(() => {
      const supports = tensor([
        [0, 0, 0],
        [0.5, 0, 0],
        [3, 0, 0],
      ])
      expect(
        ballNeighbours(
          tensor([
            [0, 0, 0],
            [9, 9, 9],
          ]),
          supports,
          1,
          3,
        ).toArray(),
      ).toEqual([
        [0, 1, 3],
        [3, 3, 3],
      ])
    })
  })
})

test('transformRegularizer is 0 for rotations, and ‖A·Aᵀ − I‖ otherwise', () => {
  tidy(() => {
    const turned = tensor([
      [
        [0, -1],
        [1, 0],
      ],
    ])
    expect(transformRegularizer(turned).toNumber()).toBeCloseTo(0, 6)
    // (2I)(2I)ᵀ − I = 3I, of norm 3√2.
    expect(transformRegularizer(eye(2).mul(2).unsqueeze(0)).toNumber()).toBeCloseTo(3 * Math.SQRT2, 5)
    // At a rotation the gradient is 0, not the 0 / 0 of a root.
    const still = eye(2).unsqueeze(0).requiresGrad_()
    transformRegularizer(still).backward()
    expect(still.grad?.abs().max().toNumber()).toBe(0)
  })
})

describe('other published names', () => {
  test('of I3D lead there and back', () => {
    tidy(() => {
      const network = skipInit(() => i3dRgb({ numClasses: 5 }))
      fillWithHash(network)
      const layout = LAYOUTS['i3d-kinetics']
      const published = layout.toPublished(network.stateDict())
      expect(published.size).toBe(network.stateDict().size)
      const branch = published.get('mixed_4c.branch_2.1.conv3d.weight') as Tensor
      expect(branch.equal(network.Mixed_4c.b2b.conv3d.weight)).toBe(true)
      expect(published.get('conv3d_0c_1x1.conv3d.bias')?.shape).toEqual([5])
      const other = skipInit(() => i3dRgb({ numClasses: 5 }))
      loadPublished(other, published, layout)
      const clip = hashTensor('clip', [1, 3, 9, 193, 193])
      noGrad(() => expect(other.eval().forward(clip).equal(network.eval().forward(clip))).toBe(true))
    })
  })

  test('of C3D lead there and back', () => {
    tidy(() => {
      const state = skipInit(() => c3d({ numClasses: 4 })).stateDict()
      const published = LAYOUTS['c3d-mmaction'].toPublished(state)
      expect([...published.keys()].slice(0, 3)).toEqual([
        'backbone.conv1a.conv.weight',
        'backbone.conv1a.conv.bias',
        'backbone.conv2a.conv.weight',
      ])
      expect(published.get('cls_head.fc_cls.weight')?.shape).toEqual([4, 4096])
      expect([...LAYOUTS['c3d-mmaction'].fromPublished(published).keys()]).toEqual([...state.keys()])
    })
  })
})

test('functions and methods beside forward leave nothing behind but what they return', async () => {
  const networks = tidy(() => [skipInit(() => yolov5n({ numClasses: 3 })), skipInit(() => raftSmall())] as const)
  const [detector, flow] = networks
  fillWithHash(detector)
  fillWithHash(flow)
  detector.eval()
  flow.eval()
  const images = hashTensor('images', [2, 3, 64, 128], 0.5, 0.5)
  const frame = hashTensor('frame', [1, 3, 128, 128])
  const points = hashTensor('points', [1, 3, 20])
  const before = await liveTensors()
  noGrad(() => {
    const found = detector.detect(images, { scoreThreshold: 0.01, multiLabel: true })
    expect(found.length).toBe(2)
    const direct = tidy(() =>
      suppressPredictions(detector.decode(detector.forward(images)), { scoreThreshold: 0.01, multiLabel: true }),
    )
    for (const [i, { boxes, scores, labels }] of found.entries()) {
      expect(boxes.size(0)).toBeGreaterThan(0)
      expect(boxes.equal(direct[i]?.boxes as Tensor)).toBe(true)
      for (const tensor of [boxes, scores, labels]) tensor.dispose()
      for (const tensor of Object.values(direct[i] ?? {})) tensor.dispose()
    }
    for (const level of detector.pyramid(images)) level.dispose()
    const moved = flow.flow(frame, frame, { numFlowUpdates: 1 })
    expect(moved.shape).toEqual([1, 2, 128, 128])
    moved.dispose()
    edgeFeatures(points, 3).dispose()
  })
  expect(await liveTensors()).toBe(before)
  for (const owned of [images, frame, points, detector, flow]) owned.dispose()
})
