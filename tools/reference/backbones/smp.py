"""test/fixtures/backbones/smp.json, from segmentation_models_pytorch."""
import segmentation_models_pytorch as smp
from common import record

record('smp', {
    name: {
        'make': lambda kind=kind, encoder=encoder: getattr(smp, kind)(encoder, encoder_weights=None, in_channels=3, classes=1),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'source': f"segmentation_models_pytorch {smp.__version__}: {kind}('{encoder}', encoder_weights=None, in_channels=3, classes=1)",
    }
    for name, kind, encoder in (
        ('smp_unet_resnet34', 'Unet', 'resnet34'),
        ('smp_unetplusplus_resnet34', 'UnetPlusPlus', 'resnet34'),
        ('smp_fpn_resnet50', 'FPN', 'resnet50'),
        ('smp_pspnet_resnet50', 'PSPNet', 'resnet50'),
        ('smp_deeplabv3plus_resnet50', 'DeepLabV3Plus', 'resnet50'),
    )
})
