import { Layout, type LayoutRule, layer } from './layout'

const NORM = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked']

const same = (name: string): LayoutRule => [name, name]
const norm = (name: string): LayoutRule[] => NORM.map((end) => same(`${name}.${end}`))
const unchanged = (...names: readonly string[]): LayoutRule[] => names.flatMap((name) => layer(name, name))

function body(): LayoutRule[] {
  const [stem, block] = ['backbone.body', 'backbone.body.layer*.*']
  return [
    ...['conv1', 'layer*.*.conv*', 'layer*.*.downsample.0'].map((name) => same(`${stem}.${name}.weight`)),
    ...norm(`${stem}.bn1`),
    ...norm(`${block}.bn*`),
    ...norm(`${block}.downsample.1`),
  ]
}

/** Layers in a row: here each has a block of its own. */
function tower(head: string, published: (place: number) => string): LayoutRule[] {
  return [0, 1, 2, 3].flatMap((place) => layer(`${head}.${place}.0`, published(place)))
}

/**
 * Faster, Mask and Keypoint R-CNN and RetinaNet as torchvision first published them (its COCO files): convolutions of
 * pyramid and heads without the block around them.
 */
export const DETECTION_TORCHVISION_V1 = new Layout('detection-torchvision-v1', [
  ...body(),
  ...layer('backbone.fpn.inner_blocks.*.0', 'backbone.fpn.inner_blocks.*'),
  ...layer('backbone.fpn.layer_blocks.*.0', 'backbone.fpn.layer_blocks.*'),
  ...unchanged('backbone.fpn.extra_blocks.p6', 'backbone.fpn.extra_blocks.p7'),
  ...layer('rpn.head.conv.0.0', 'rpn.head.conv'),
  ...unchanged('rpn.head.cls_logits', 'rpn.head.bbox_pred'),
  ...unchanged('roi_heads.box_head.fc6', 'roi_heads.box_head.fc7'),
  ...unchanged('roi_heads.box_predictor.cls_score', 'roi_heads.box_predictor.bbox_pred'),
  ...tower('roi_heads.mask_head', (place) => `roi_heads.mask_head.mask_fcn${place + 1}`),
  ...unchanged('roi_heads.mask_predictor.conv5_mask', 'roi_heads.mask_predictor.mask_fcn_logits'),
  ...unchanged('roi_heads.keypoint_head.*', 'roi_heads.keypoint_predictor.kps_score_lowres'),
  ...['classification', 'regression'].flatMap((kind) => {
    const conv = `head.${kind}_head.conv`
    return tower(conv, (place) => `${conv}.${2 * place}`)
  }),
  ...unchanged('head.classification_head.cls_logits', 'head.regression_head.bbox_reg'),
])
