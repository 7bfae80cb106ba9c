export { systemReason } from '../native/system-reason'
