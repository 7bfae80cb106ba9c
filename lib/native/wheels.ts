import type { Variant } from './cache'
import { LIBTORCH_VERSION } from './required'

/** A Python wheel that holds a part of LibTorch, by its exact contents. */
export interface Wheel {
  readonly name: string
  readonly version: string
  readonly sha256: string
}

const cpu: readonly Wheel[] = [
  {
    name: 'torch',
    version: LIBTORCH_VERSION,
    sha256: '7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a',
  },
  // libtorch_cpu.so needs these two even where there is no GPU.
  {
    name: 'nvidia-cuda-runtime',
    version: '13.0.96',
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
  },
  {
    name: 'nvidia-cuda-cupti',
    version: '13.0.85',
    sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
  },
]

/** The libraries that the CUDA part needs: torch's own pins, without the Python packages that only Python uses. */
const cuda: readonly Wheel[] = [
  ...cpu,
  {
    name: 'nvidia-cublas',
    version: '13.1.0.3',
    sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
  },
  {
    name: 'nvidia-cuda-nvrtc',
    version: '13.0.88',
    sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
  },
  {
    name: 'nvidia-cudnn-cu13',
    version: '9.19.0.56',
    sha256: 'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
  },
  {
    name: 'nvidia-cufft',
    version: '12.0.0.61',
    sha256: '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
  },
  {
    name: 'nvidia-cufile',
    version: '1.15.1.6',
    sha256: '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
  },
  {
    name: 'nvidia-curand',
    version: '10.4.0.35',
    sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
  },
  {
    name: 'nvidia-cusolver',
    version: '12.0.4.66',
    sha256: '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
  },
  {
    name: 'nvidia-cusparse',
    version: '12.6.3.3',
    sha256: '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
  },
  {
    name: 'nvidia-cusparselt-cu13',
    version: '0.8.0',
    sha256: '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
  },
  {
    name: 'nvidia-nccl-cu13',
    version: '2.28.9',
    sha256: 'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
  },
  {
    name: 'nvidia-nvjitlink',
    version: '13.0.88',
    sha256: '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
  },
  {
    name: 'nvidia-nvshmem-cu13',
    version: '3.4.5',
    sha256: '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
  },
  {
    name: 'nvidia-nvtx',
    version: '13.0.85',
    sha256: '4936d1d6780fbe68db454f5e72a42ff64d1fd6397df9f363ae786930fd5c1cd4',
  },
]

const wheels = { cpu, cuda } as const

/** Lines of the requirements file for a variant, each with its hash. */
export function requirements(variant: Variant): string {
  return wheels[variant].map(({ name, version, sha256 }) => `${name}==${version} --hash=sha256:${sha256}\n`).join('')
}

/** Options that name the platform, so that pip takes these wheels whatever Python it runs under. */
export function platformOptions(): string[] {
  // The wheels are tagged with different glibc floors (2.5 to 2.28), and pip takes each tag only when it is named.
  const glibc = Array.from({ length: 28 - 5 + 1 }, (_, i) => `manylinux_2_${28 - i}_x86_64`)
  const legacy = ['manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64']
  return [
    ...[...glibc, ...legacy].flatMap((platform) => ['--platform', platform]),
    ...['--python-version', '3.11', '--implementation', 'cp', '--only-binary=:all:'],
  ]
}

/** Bytes that must be free: the wheels, and their contents before what is not needed is removed. */
export const DISK_SPACE: Readonly<Record<Variant, number>> = { cpu: 2.0e9, cuda: 7.5e9 }
