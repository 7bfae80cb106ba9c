import { describe, expect, test } from 'vitest'
import {
  cpuCapability,
  cudaDeviceCount,
  cudaIsAvailable,
  cudaUnavailableReason,
  type Device,
  Generator,
  getNumThreads,
  libtorchVersion,
  resolveDevice,
  setNumThreads,
  tensor,
  zeros,
} from '../../lib/tensor'

const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

describe('devices', () => {
  test('are checked by name', () => {
    expect(resolveDevice('cpu')).toEqual({ device: 'cpu' })
    expect(resolveDevice('meta')).toEqual({ device: 'meta' })
    for (const name of ['gpu', 'cuda:', 'cuda:x', 'cuda:-1', 'cuda:123', '', 3, undefined]) {
      expect(() => resolveDevice(name as Device)).toThrow(refusal('Device', /is no device; they are 'cpu', 'cuda'/))
    }
  })

  test('without CUDA: every way to ask for it says why not, and auto says what it took', ({ skip }) => {
    skip(cudaIsAvailable(), 'CUDA is available')
    const reason = cudaUnavailableReason()
    expect(reason).toMatch(/^CUDA is not available: .{20,}/)
    expect(cudaDeviceCount()).toBe(0)
    expect(resolveDevice('auto')).toEqual({ device: 'cpu', reason })
    const unavailable = refusal('Device', /^CUDA is not available: /)
    expect(() => resolveDevice('cuda')).toThrow(unavailable)
    expect(() => resolveDevice('cuda:1')).toThrow(unavailable)
    expect(() => zeros([1], { device: 'cuda' })).toThrow(unavailable)
    expect(() => tensor([1], { device: 'cuda:0' })).toThrow(unavailable)
    expect(() => zeros([1]).to('cuda')).toThrow(unavailable)
    expect(() => new Generator(1, 'cuda')).toThrow(unavailable)
  })

  test('with CUDA: auto takes the first device', ({ skip }) => {
    const reason = cudaUnavailableReason()
    skip(reason !== undefined, reason)
    expect(resolveDevice('auto')).toEqual({ device: 'cuda:0' })
    expect(() => resolveDevice('cuda:99')).toThrow(refusal('Device', /'cuda:99' is not there/))
    expect(zeros([1], { device: 'cuda' }).device).toBe('cuda:0')
  })
})

describe('threads', () => {
  test('are set and told', () => {
    const before = getNumThreads()
    try {
      setNumThreads(1)
      expect(getNumThreads()).toBe(1)
      setNumThreads(2)
      expect(getNumThreads()).toBe(2)
    } finally {
      setNumThreads(before)
    }
  })

  test('numbers that are none are refused', () => {
    for (const bad of [0, -1, 1.5, Number.NaN, 5000, '2']) {
      expect(() => setNumThreads(bad as number)).toThrow(refusal('Config', /1 to 1024/))
    }
  })
})

test('the machine and LibTorch are named', () => {
  expect(libtorchVersion()).toMatch(/^2\.11\.0/)
  expect(cpuCapability()).toMatch(/^(DEFAULT|AVX2|AVX512)/)
})
