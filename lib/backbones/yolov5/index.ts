export { C3, ConvBlock, DarknetBottleneck, SPPF } from './blocks'
export { Detect, type LevelAnchors } from './detect'
export { type Detections, type DetectionsOptions, suppressPredictions } from './detections'
export { type LevelTargets, YOLOv5Loss, type YOLOv5LossOptions, type YOLOv5LossValues } from './loss'
export {
  YOLOV5_ANCHORS,
  YOLOV5S,
  YOLOv5,
  type YOLOv5Options,
  yolov5l,
  yolov5l6,
  yolov5m,
  yolov5m6,
  yolov5n,
  yolov5n6,
  yolov5s,
  yolov5s6,
  yolov5x,
  yolov5x6,
} from './yolov5'
