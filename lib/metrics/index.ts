export { angularError, endPointError, type FlowMetricOptions, flowOutliers } from './flow'
