// Weights that others publish, for networks that torchvision does not have. The last one of a network is its default.
import type { WeightsEntry } from './entry'

type Row = Omit<WeightsEntry, 'name' | 'network' | 'file'>

const PYTORCHVIDEO = 'https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics/'
const DEIT = 'https://dl.fbaipublicfiles.com/deit/'
const OPENAI = 'https://openaipublic.azureedge.net/clip/models/'
const FACENET = 'https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/'

/** A file of a repository on huggingface.co, which tells a file's SHA-256 in its answer. */
function hub(task: string, repository: string, licence: string, file = 'model.safetensors'): Row {
  const layout = repository.startsWith('timm/') ? 'timm' : 'transformers'
  return { task, licence, layout, url: `https://huggingface.co/${repository}/resolve/main/${file}` }
}

function timm(repository: string, licence: string): Row {
  return hub('image-classification', `timm/${repository}`, licence)
}

function pytorchvideo(file: string): Row {
  return { task: 'video-classification', url: PYTORCHVIDEO + file, licence: 'Apache-2.0', layout: 'pytorchvideo' }
}

/** Trained on IG-65M, then on Kinetics; converted from Caffe2. */
function ig65m(file: string, sha256Prefix: string): Row {
  const url = `https://github.com/moabitcoin/ig65m-pytorch/releases/download/v1.0.0/${file}`
  return { task: 'video-classification', url, sha256Prefix, licence: 'unknown', layout: 'torchvision' }
}

function deit(file: string): Row {
  const sha256Prefix = /-([0-9a-f]+)\.pth$/.exec(file)?.[1]
  const url = DEIT + file
  return {
    task: 'image-classification',
    url,
    ...(sha256Prefix && { sha256Prefix }),
    licence: 'Apache-2.0',
    layout: 'timm',
  }
}

/** OpenAI's files lie in folders named after their SHA-256. They are TorchScript archives. */
function clip(sha256: string, file: string): Row {
  const url = `${OPENAI}${sha256}/${file}`
  return { task: 'image-text', url, sha256, licence: 'MIT', layout: 'openai-clip' }
}

function facenet(file: string): Row {
  return { task: 'image-classification', url: FACENET + file, licence: 'MIT', layout: 'facenet-pytorch' }
}

export const OTHER_WEIGHTS = {
  'vit_tiny_patch16_224.augreg_in21k_ft_in1k': timm('vit_tiny_patch16_224.augreg_in21k_ft_in1k', 'Apache-2.0'),
  'vit_small_patch16_224.augreg_in21k_ft_in1k': timm('vit_small_patch16_224.augreg_in21k_ft_in1k', 'Apache-2.0'),
  'vit_base_patch16_224.augreg2_in21k_ft_in1k': timm('vit_base_patch16_224.augreg2_in21k_ft_in1k', 'Apache-2.0'),
  'vit_base_patch32_224.augreg_in21k_ft_in1k': timm('vit_base_patch32_224.augreg_in21k_ft_in1k', 'Apache-2.0'),
  'swin_tiny_patch4_window7_224.ms_in1k': timm('swin_tiny_patch4_window7_224.ms_in1k', 'MIT'),
  'swin_base_patch4_window7_224.ms_in22k_ft_in1k': timm('swin_base_patch4_window7_224.ms_in22k_ft_in1k', 'MIT'),
  'beit_base_patch16_224.in22k_ft_in22k_in1k': timm('beit_base_patch16_224.in22k_ft_in22k_in1k', 'Apache-2.0'),
  'mixer_b16_224.goog_in21k_ft_in1k': timm('mixer_b16_224.goog_in21k_ft_in1k', 'Apache-2.0'),
  'hrnet_w18.ms_aug_in1k': timm('hrnet_w18.ms_aug_in1k', 'MIT'),
  'hrnet_w32.ms_in1k': timm('hrnet_w32.ms_in1k', 'MIT'),
  'hrnet_w48.ms_in1k': timm('hrnet_w48.ms_in1k', 'MIT'),
  'res2net50_26w_4s.in1k': timm('res2net50_26w_4s.in1k', 'unknown'),
  'res2net101_26w_4s.in1k': timm('res2net101_26w_4s.in1k', 'unknown'),
  'seresnet50.a1_in1k': timm('seresnet50.a1_in1k', 'Apache-2.0'),
  'inception_resnet_v2.tf_in1k': timm('inception_resnet_v2.tf_in1k', 'Apache-2.0'),
  'ghostnet_100.in1k': timm('ghostnet_100.in1k', 'Apache-2.0'),
  'tf_efficientnet_b0.ns_jft_in1k': timm('tf_efficientnet_b0.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b1.ns_jft_in1k': timm('tf_efficientnet_b1.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b2.ns_jft_in1k': timm('tf_efficientnet_b2.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b3.ns_jft_in1k': timm('tf_efficientnet_b3.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b4.ns_jft_in1k': timm('tf_efficientnet_b4.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b5.ns_jft_in1k': timm('tf_efficientnet_b5.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b6.ns_jft_in1k': timm('tf_efficientnet_b6.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnet_b7.ns_jft_in1k': timm('tf_efficientnet_b7.ns_jft_in1k', 'Apache-2.0'),
  'tf_efficientnetv2_s.in21k_ft_in1k': timm('tf_efficientnetv2_s.in21k_ft_in1k', 'Apache-2.0'),
  'xception41.tf_in1k': timm('xception41.tf_in1k', 'Apache-2.0'),
  'xception65.ra3_in1k': timm('xception65.ra3_in1k', 'Apache-2.0'),
  'xception71.tf_in1k': timm('xception71.tf_in1k', 'Apache-2.0'),
  'deit_tiny_patch16_224.fb_in1k': deit('deit_tiny_patch16_224-a1311bcf.pth'),
  'deit_small_patch16_224.fb_in1k': deit('deit_small_patch16_224-cd65a155.pth'),
  'deit_base_patch16_224.fb_in1k': deit('deit_base_patch16_224-b5f2ef4d.pth'),
  'deit_base_distilled_patch16_224.fb_in1k': deit('deit_base_distilled_patch16_224-df68dfff.pth'),
  'xception.tf_in1k': {
    ...{ task: 'image-classification', licence: 'Apache-2.0', layout: 'timm', sha256Prefix: '43020ad28' },
    url: 'https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/xception-43020ad28.pth',
  },
  'fid_inception_v3.imagenet': {
    ...{ task: 'features', licence: 'Apache-2.0', layout: 'pytorch-fid', sha256Prefix: '6726825d' },
    url: 'https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth',
  },
  'inception_resnet_v1.casia_webface': facenet('20180408-102900-casia-webface.pt'),
  'inception_resnet_v1.vggface2': facenet('20180402-114759-vggface2.pt'),
  'slow_r50.kinetics400': pytorchvideo('SLOW_8x8_R50.pyth'),
  'slow_r50_4x16.kinetics400': pytorchvideo('SLOW_4x16_R50.pyth'),
  'slowfast_r50.kinetics400': pytorchvideo('SLOWFAST_8x8_R50.pyth'),
  'slowfast_r50_4x16.kinetics400': pytorchvideo('SLOWFAST_4x16_R50.pyth'),
  'slowfast_r101.kinetics400': pytorchvideo('SLOWFAST_8x8_R101.pyth'),
  'slowfast_16x8_r101_50_50.kinetics400': pytorchvideo('SLOWFAST_16x8_R101_50_50.pyth'),
  'i3d_r50.kinetics400': pytorchvideo('I3D_8x8_R50.pyth'),
  'c2d_r50.kinetics400': pytorchvideo('C2D_8x8_R50.pyth'),
  'csn_r101.kinetics400': pytorchvideo('CSN_32x2_R101.pyth'),
  'r2plus1d_r50.kinetics400': pytorchvideo('R2PLUS1D_16x4_R50.pyth'),
  'x3d_xs.kinetics400': pytorchvideo('X3D_XS.pyth'),
  'x3d_s.kinetics400': pytorchvideo('X3D_S.pyth'),
  'x3d_m.kinetics400': pytorchvideo('X3D_M.pyth'),
  'x3d_l.kinetics400': pytorchvideo('X3D_L.pyth'),
  'r2plus1d_34.kinetics400_clip32': ig65m('r2plus1d_34_clip32_ft_kinetics_from_ig65m-ade133f1.pth', 'ade133f1'),
  'r2plus1d_34.kinetics400_clip8': ig65m('r2plus1d_34_clip8_ft_kinetics_from_ig65m-0aa0550b.pth', '0aa0550b'),
  'clip_rn50.openai': clip('afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762', 'RN50.pt'),
  'clip_rn101.openai': clip('8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599', 'RN101.pt'),
  'clip_vit_b_32.openai': clip('40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af', 'ViT-B-32.pt'),
  'clip_vit_b_16.openai': clip('5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f', 'ViT-B-16.pt'),
  'clip_vit_l_14.openai': clip('b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836', 'ViT-L-14.pt'),
  'bert_base_uncased_pretraining.english': hub('text', 'google-bert/bert-base-uncased', 'Apache-2.0'),
  'bert_large_uncased.english': hub('text', 'google-bert/bert-large-uncased', 'Apache-2.0'),
  'distilbert_base_uncased.english': hub('text', 'distilbert/distilbert-base-uncased', 'Apache-2.0'),
  'roberta_base.english': hub('text', 'FacebookAI/roberta-base', 'MIT'),
  'xlm_roberta_base.cc100': hub('text', 'FacebookAI/xlm-roberta-base', 'MIT'),
  'mpnet_base.english': hub('text', 'microsoft/mpnet-base', 'MIT', 'pytorch_model.bin'),
  'gpt2.webtext': hub('text', 'openai-community/gpt2', 'MIT'),
  'gpt2_medium.webtext': hub('text', 'openai-community/gpt2-medium', 'MIT'),
  't5_small.c4': hub('text', 'google-t5/t5-small', 'Apache-2.0'),
  't5_base.c4': hub('text', 'google-t5/t5-base', 'Apache-2.0'),
  'vit_base_patch16_224_hf_classification.imagenet1k': hub(
    'image-classification',
    'google/vit-base-patch16-224',
    'Apache-2.0',
  ),
  'ast_classification.audioset': hub('audio-classification', 'MIT/ast-finetuned-audioset-10-10-0.4593', 'BSD-3-Clause'),
  'wav2vec2_base.librispeech': hub('speech', 'facebook/wav2vec2-base', 'Apache-2.0', 'pytorch_model.bin'),
  'whisper_base_lm.multilingual': hub('speech', 'openai/whisper-base', 'Apache-2.0'),
  'videomae_base_classification.kinetics400': hub(
    'video-classification',
    'MCG-NJU/videomae-base-finetuned-kinetics',
    'CC-BY-NC-4.0',
  ),
  'timesformer_base_classification.kinetics400': hub(
    'video-classification',
    'facebook/timesformer-base-finetuned-k400',
    'CC-BY-NC-4.0',
    'pytorch_model.bin',
  ),
  'blip_image_captioning_base.coco': hub('image-text', 'Salesforce/blip-image-captioning-base', 'BSD-3-Clause'),
  'blip_vqa_base.vqa2': hub('image-text', 'Salesforce/blip-vqa-base', 'BSD-3-Clause'),
  'clip_vit_b_32.transformers': hub('image-text', 'openai/clip-vit-base-patch32', 'MIT', 'pytorch_model.bin'),
  'clip_vit_b_16.transformers': hub('image-text', 'openai/clip-vit-base-patch16', 'MIT', 'pytorch_model.bin'),
  'clip_vit_l_14.transformers': hub('image-text', 'openai/clip-vit-large-patch14', 'MIT'),
} as const satisfies Readonly<Record<string, Row>>
