// CLIP: pictures and texts in one space.
export * from './clip'
export { AttentionPool2d, ClipResNet, type ClipResNetSize } from './resnet'
export { ClipTransformer, type ClipVisionSize, ClipVisionTransformer, QuickGELU } from './transformer'
