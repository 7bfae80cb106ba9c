// Run alone by capsule-routing.ts with VISION_NATIVE_ISA=scalar: our times as JSON.
import { ownTimes } from '../capsule-routing'

console.log(JSON.stringify(ownTimes()))
