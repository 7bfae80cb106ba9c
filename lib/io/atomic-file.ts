export { writeFileAtomic } from '../native/atomic-file'
