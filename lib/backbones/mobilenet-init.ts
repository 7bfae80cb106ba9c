import { Conv2d, init, Linear, type Module } from '../nn'

/** First values of the MobileNets: He's normal by fan-out for convolutions, a narrow normal for classifiers. */
export function resetMobileNet(network: Module): void {
  for (const module of network.modules()) {
    if (module instanceof Conv2d) init.kaimingNormal_(module.weight, { mode: 'fanOut' })
    else if (module instanceof Linear) init.normal_(module.weight, { std: 0.01 })
    else continue
    if (module.bias) init.zeros_(module.bias)
  }
}
