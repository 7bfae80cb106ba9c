// Weights that others publish, for networks that torchvision does not have.
import type { WeightsEntry } from './entry'

type Row = Omit<WeightsEntry, 'name' | 'file'>

const DEIT_FOLDER = 'https://dl.fbaipublicfiles.com/deit/'
const OPENAI_FOLDER = 'https://openaipublic.azureedge.net/clip/models/'

/** A file of a repository on huggingface.co, which tells a file's SHA-256 in its answer. */
function hub(network: string, task: string, repository: string, licence: string, file = 'model.safetensors'): Row {
  const layout = repository.startsWith('timm/') ? 'timm' : 'transformers'
  return { network, task, licence, layout, url: `https://huggingface.co/${repository}/resolve/main/${file}` }
}

function timm(network: string, tag: string, licence: string): Row {
  return hub(network, 'image-classification', `timm/${network}.${tag}`, licence)
}

function deit(size: string, sha256Prefix: string): Row {
  const network = `deit_${size}_patch16_224`
  const file = `deit_${size}_patch16_224-${sha256Prefix}.pth`
  return {
    ...{ network, task: 'image-classification', url: DEIT_FOLDER + file, sha256Prefix },
    ...{ licence: 'Apache-2.0', layout: 'timm' },
  }
}

/** OpenAI's files lie in folders named after their SHA-256. They are TorchScript archives. */
function openaiClip(network: string, sha256: string, file: string): Row {
  const url = `${OPENAI_FOLDER}${sha256}/${file}`
  return { network, task: 'image-text', url, sha256, licence: 'MIT', layout: 'openai-clip' }
}

export const OTHER_WEIGHTS = {
  'deit_tiny_patch16_224.imagenet1k': deit('tiny', 'a1311bcf'),
  'deit_small_patch16_224.imagenet1k': deit('small', 'cd65a155'),
  'deit_base_patch16_224.imagenet1k': deit('base', 'b5f2ef4d'),
  'vit_tiny_patch16_224.imagenet1k': timm('vit_tiny_patch16_224', 'augreg_in21k_ft_in1k', 'Apache-2.0'),
  'vit_small_patch16_224.imagenet1k': timm('vit_small_patch16_224', 'augreg_in21k_ft_in1k', 'Apache-2.0'),
  'vit_base_patch16_224.imagenet1k': timm('vit_base_patch16_224', 'augreg2_in21k_ft_in1k', 'Apache-2.0'),
  'vit_base_patch32_224.imagenet1k': timm('vit_base_patch32_224', 'augreg_in21k_ft_in1k', 'Apache-2.0'),
  'hrnet_w32.imagenet1k': timm('hrnet_w32', 'ms_in1k', 'MIT'),
  'hrnet_w48.imagenet1k': timm('hrnet_w48', 'ms_in1k', 'MIT'),
  'res2net50_26w_4s.imagenet1k': timm('res2net50_26w_4s', 'in1k', 'unknown'),
  'res2net101_26w_4s.imagenet1k': timm('res2net101_26w_4s', 'in1k', 'unknown'),
  'legacy_xception.imagenet1k': {
    ...{ network: 'legacy_xception', task: 'image-classification', layout: 'timm', licence: 'Apache-2.0' },
    url: 'https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/xception-43020ad28.pth',
    sha256Prefix: '43020ad28',
  },
  'inception_resnet_v1.vggface2': {
    ...{ network: 'inception_resnet_v1', task: 'image-classification', layout: 'facenet-pytorch', licence: 'MIT' },
    url: 'https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt',
  },
  'inception_resnet_v1.casia-webface': {
    ...{ network: 'inception_resnet_v1', task: 'image-classification', layout: 'facenet-pytorch', licence: 'MIT' },
    url: 'https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180408-102900-casia-webface.pt',
  },
  'fid_inception_v3.imagenet': {
    ...{ network: 'fid_inception_v3', task: 'features', layout: 'pytorch-fid', licence: 'Apache-2.0' },
    url: 'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth',
    sha256Prefix: '6726825d',
  },
  'bert_base_uncased.pretrained': hub('bert_base_uncased', 'text', 'google-bert/bert-base-uncased', 'Apache-2.0'),
  'distilbert_base_uncased.pretrained': hub(
    'distilbert_base_uncased',
    'text',
    'distilbert/distilbert-base-uncased',
    'Apache-2.0',
  ),
  'roberta_base.pretrained': hub('roberta_base', 'text', 'FacebookAI/roberta-base', 'MIT'),
  'gpt2.pretrained': hub('gpt2', 'text', 'openai-community/gpt2', 'MIT'),
  't5_base.pretrained': hub('t5_base', 'text', 'google-t5/t5-base', 'Apache-2.0'),
  'ast.audioset': hub('ast', 'audio-classification', 'MIT/ast-finetuned-audioset-10-10-0.4593', 'BSD-3-Clause'),
  'wav2vec2_base.pretrained': hub(
    'wav2vec2_base',
    'speech',
    'facebook/wav2vec2-base',
    'Apache-2.0',
    'pytorch_model.bin',
  ),
  'blip_image_captioning_base.coco': hub(
    'blip_image_captioning_base',
    'image-text',
    'Salesforce/blip-image-captioning-base',
    'BSD-3-Clause',
  ),
  'clip_vit_base_patch32.pretrained': hub(
    'clip_vit_base_patch32',
    'image-text',
    'openai/clip-vit-base-patch32',
    'MIT',
    'pytorch_model.bin',
  ),
  'clip_vit_base_patch16.pretrained': hub(
    'clip_vit_base_patch16',
    'image-text',
    'openai/clip-vit-base-patch16',
    'MIT',
    'pytorch_model.bin',
  ),
  'clip_vit_large_patch14.pretrained': hub(
    'clip_vit_large_patch14',
    'image-text',
    'openai/clip-vit-large-patch14',
    'MIT',
  ),
  'openai_clip_rn50.pretrained': openaiClip(
    'openai_clip_rn50',
    'afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762',
    'RN50.pt',
  ),
  'openai_clip_rn101.pretrained': openaiClip(
    'openai_clip_rn101',
    '8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599',
    'RN101.pt',
  ),
  'openai_clip_vit_b_32.pretrained': openaiClip(
    'openai_clip_vit_b_32',
    '40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af',
    'ViT-B-32.pt',
  ),
  'openai_clip_vit_b_16.pretrained': openaiClip(
    'openai_clip_vit_b_16',
    '5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f',
    'ViT-B-16.pt',
  ),
} as const satisfies Readonly<Record<string, Row>>
