// What the loop over all networks does not see: options, errors, windows, other publishers' names.
import { describe, expect, test } from 'vitest'
import {
  ASTModel,
  CLIP,
  LAYOUTS,
  type LayoutName,
  loadPublished,
  MViT,
  resizePositions,
  SwinTransformer,
  TimesformerModel,
  VideoMAEModel,
  ViltModel,
  VisionTransformer,
} from '../../lib/backbones'
import { VIT_HF, VIT_TIMM } from '../../lib/backbones/layouts/vit'
import { partition, relativeIndex, shiftedWindows } from '../../lib/backbones/swin/windows'
import type { Module } from '../../lib/nn'
import { arange, manualSeed, ones, randn, tensor, tidy, zeros } from '../../lib/tensor'

const TINY = { patchSize: 8, depth: 2, heads: 2, width: 16, mlpWidth: 32 } as const
const tinyViT = (options: object = {}) => new VisionTransformer(TINY, { imageSize: 16, numClasses: 5, ...options })

describe('VisionTransformer', () => {
  test('refuses images of another size than its positions, saying which', () => {
    tidy(() => {
      expect(() => tinyViT().forward(zeros([1, 3, 16, 24]))).toThrow(/16 × 24.*16 × 16.*imageSize/)
      expect(() => tinyViT({ imageSize: 20 })).toThrow(/imageSize is 20; it must be a multiple of the patch size, 8/)
    })
  })

  test('begins with logits of zero, as torchvision draws its first values', () => {
    tidy(() => {
      manualSeed(0)
      expect(
        tinyViT()
          .forward(randn([2, 3, 16, 16]))
          .abs()
          .sum()
          .item(),
      ).toBe(0)
    })
  })

  test('distilled, gives the mean of two classifiers', () => {
    tidy(() => {
      manualSeed(0)
      const network = tinyViT({ distilled: true, firstValues: 'timm' }).eval()
      const images = randn([2, 3, 16, 16])
      const [logits, distilled] = network.forwardHeads(images)
      expect(distilled?.equal(logits)).toBe(false)
      const mean = logits.add(distilled ?? logits).div(2)
      expect(network.forward(images).equal(mean)).toBe(true)
      expect(network.encoder.posEmbedding.shape).toEqual([1, 4 + 2, 16])
    })
  })

  test('has a layer before the classifier with representationSize', () => {
    const names = [...tinyViT({ representationSize: 7 }).stateDict().keys()].filter((name) => name.startsWith('heads'))
    expect(names).toEqual(['heads.pre_logits.weight', 'heads.pre_logits.bias', 'heads.head.weight', 'heads.head.bias'])
  })

  test('keeps positions that are the same everywhere when they are resized, and the class token', () => {
    tidy(() => {
      const positions = ones([1, 1 + 9, 4])
      positions.setAt([0, 0], 7)
      const resized = resizePositions(positions, 5)
      expect(resized.shape).toEqual([1, 1 + 25, 4])
      expect(resized.at(0, 0).sum().item()).toBe(28)
      expect(resized.narrow(1, 1, 25).sub(1).abs().max().toNumber()).toBeLessThan(1e-6)
      expect(() => resizePositions(positions, 5, { extraTokens: 2 })).toThrow(/8, which form no square/)
    })
  })
})

describe('layouts', () => {
  test("give ViT the names of transformers' ViTForImageClassification, and take them back", () => {
    tidy(() => {
      manualSeed(0)
      const network = tinyViT({ firstValues: 'timm' })
      const published = VIT_HF.toPublished(network.stateDict())
      expect([...published.keys()].filter((name) => name.includes('layer.1.')).sort()).toEqual(
        [
          'layernorm_before',
          'layernorm_after',
          'attention.attention.query',
          'attention.attention.key',
          'attention.attention.value',
          'attention.output.dense',
          'intermediate.dense',
          'output.dense',
        ]
          .flatMap((name) => [`vit.encoder.layer.1.${name}.bias`, `vit.encoder.layer.1.${name}.weight`])
          .sort(),
      )
      expect(published.get('classifier.weight')?.shape).toEqual([5, 16])
      const other = tinyViT()
      loadPublished(other, published, VIT_HF)
      const same = [...network.stateDict()].every(([name, value]) => other.stateDict().get(name)?.equal(value))
      expect(same).toBe(true)
    })
  })

  const small = { hiddenSize: 16, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 16 }
  const cube = [3, 3, 3] as const
  const networks: Readonly<Partial<Record<LayoutName, () => Module>>> = {
    'clip-hf': () =>
      new CLIP(
        {
          embedDim: 8,
          vision: { patchSize: 8, width: 16, depth: 2, heads: 2 },
          textWidth: 12,
          textHeads: 2,
          textDepth: 1,
        },
        { imageSize: 16, contextLength: 4, vocabSize: 10 },
      ),
    'mvit-pytorchvideo': () =>
      new MViT(
        1,
        [
          { heads: 1, from: 8, to: 16, kernelQ: null, strideQ: null, kernelKv: cube, strideKv: [1, 2, 2] },
          { heads: 2, from: 16, to: 16, kernelQ: cube, strideQ: [1, 2, 2], kernelKv: cube, strideKv: [1, 1, 1] },
        ],
        { imageSize: 32, frames: 2, numClasses: 3 },
      ),
    'vit-hf': () => tinyViT({ firstValues: 'timm' }),
    'vit-transformers5': () => new ASTModel({ ...small, maxLength: 32, numMelBins: 16 }),
    'videomae-transformers5': () => new VideoMAEModel({ ...small, imageSize: 32, numFrames: 2 }),
    'swin-timm': () => new SwinTransformer(1, { channels: 8, depths: [2, 2], heads: [2, 2] }, { numClasses: 3 }),
    'vit-timm': () => tinyViT({ distilled: true, firstValues: 'timm' }),
  }

  test.each(Object.entries(networks))('%s: what is published loads as it was', (name, make) => {
    tidy(() => {
      manualSeed(1)
      const network = make()
      const state = new Map([...network.stateDict()].map(([key, value]) => [key, value.detach().clone()]))
      const published = LAYOUTS[name as LayoutName].toPublished(state)
      manualSeed(2)
      const other = make()
      loadPublished(other, published, LAYOUTS[name as LayoutName])
      const different = [...other.stateDict()].filter(([key, value]) => !state.get(key)?.equal(value))
      expect(different.map(([key]) => key)).toEqual([])
    })
  })

  test('name what they do not know, and the parts that are missing', () => {
    tidy(() => {
      const published = VIT_TIMM.toPublished(tinyViT().stateDict())
      published.set('blocks.0.attn.qkv.scale', zeros([1]))
      expect(() => VIT_TIMM.fromPublished(published)).toThrow(/vit-timm.*'blocks\.0\.attn\.qkv\.scale'/)
      const query = new Map([['vit.encoder.layer.0.attention.attention.query.bias', zeros([16])]])
      expect(() => VIT_HF.fromPublished(query)).toThrow(/1 of them are given/)
    })
  })
})

describe('windows', () => {
  test('hold neighbours, and are put back', () => {
    tidy(() => {
      const x = arange(16).reshape([1, 4, 4, 1])
      expect([...partition(x, [2, 2]).at(1).flatten().dataSync()].map(Number)).toEqual([2, 3, 6, 7])
      const odd = randn([2, 5, 7, 3])
      const { windows, mask, restore } = shiftedWindows(odd, [2, 4], [1, 2])
      expect(windows.shape).toEqual([2 * 3 * 2, 8, 3])
      expect(mask?.shape).toEqual([6, 8, 8])
      expect(restore(windows).equal(odd)).toBe(true)
    })
  })

  test('hide positions from each other that only the shift made neighbours', () => {
    tidy(() => {
      const { windows, mask } = shiftedWindows(tensor([0, 1, 2, 3]).reshape([1, 4, 1]), [2], [1])
      expect([...windows.flatten().dataSync()]).toEqual([1, 2, 3, 0])
      expect([...(mask?.flatten().dataSync() ?? [])].map((x) => Number(x) + 0)).toEqual([0, 0, 0, 0, 0, -100, -100, 0])
    })
  })

  test('number offsets of rows and columns', () => {
    expect([...relativeIndex([2, 2]).slice(0, 4)]).toEqual([4n, 3n, 1n, 0n])
    expect([...relativeIndex([2, 2]).slice(-4)]).toEqual([8n, 7n, 5n, 4n])
  })

  test('of Swin take pictures of any size', () => {
    tidy(() => {
      const network = new SwinTransformer(1, { channels: 8, depths: [2, 2], heads: [2, 2] }, { numClasses: 3 }).eval()
      expect(network.forward(randn([1, 3, 30, 52])).shape).toEqual([1, 3])
    })
  })
})

test('networks for sound, video and text name the size that does not fit', () => {
  tidy(() => {
    const small = { hiddenSize: 16, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 16 }
    const sound = new ASTModel({ ...small, maxLength: 32, numMelBins: 16 })
    expect(() => sound.forward(zeros([1, 40, 16]))).toThrow(/\[1, 40, 16\]; expected \[N, 32, 16\]/)
    const video = new TimesformerModel({ ...small, imageSize: 32 })
    expect(() => video.forward(zeros([1, 2, 3, 24, 32]))).toThrow(/multiples of 16/)
    const both = new ViltModel({ ...small, imageSize: 64, vocabSize: 10, maxPositionEmbeddings: 4 })
    const words = (count: number) => zeros([1, count], { dtype: 'int64' })
    expect(() => both.forward(words(5), zeros([1, 3, 64, 64]))).toThrow(/at most 4 tokens/)
    expect(() => both.forward(words(4), zeros([1, 3, 64, 60]))).toThrow(/multiples of 32/)
    const imageSizes = [[96, 64]] as const
    expect(() => both.forward(words(4), zeros([1, 3, 64, 64]), { imageSizes })).toThrow(/96 × 64 of 64 × 64/)
  })
})
