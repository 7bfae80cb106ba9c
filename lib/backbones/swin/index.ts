// Swin for images and videos.
export { SwinBlock } from './blocks'
export * from './swin'
export * from './swin3d'
