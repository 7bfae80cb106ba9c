// Boxes and what detectors do with them, as torchvision.ops and torchvision's detectors.
export * from './anchors'
export * from './coders'
export * from './formats'
export * from './losses'
export * from './matching'
export * from './overlap'
