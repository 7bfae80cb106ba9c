export * from './boxes'
export { hsvToRgb, labToRgb, rgbToGrey, rgbToHsv, rgbToLab, rgbToYcbcr, ycbcrToRgb } from './colour'
export { drawFlowArrows, type FlowArrowOptions } from './flow-arrows'
export { type FlowColourOptions, flowToColour, middleburyWheel } from './flow-colours'
