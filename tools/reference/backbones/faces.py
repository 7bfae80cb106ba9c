"""test/fixtures/backbones/faces.json, from facenet-pytorch."""
from importlib.metadata import version

from common import record
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models import mtcnn

VERSION = f'facenet-pytorch {version("facenet-pytorch")}'


def window(name, size):
    return {
        'make': lambda: getattr(mtcnn, name)(pretrained=False),
        'inputs': [{'shape': [2, 3, *size]}],
        'source': f'{VERSION}: facenet_pytorch.models.mtcnn.{name}(pretrained=False)',
    }


record('faces', {
    'inception_resnet_v1': {
        'make': InceptionResnetV1,
        'inputs': [{'shape': [2, 3, 80, 80]}],
        'source': f'{VERSION}: InceptionResnetV1(pretrained=None)',
    },
    'inception_resnet_v1_vggface2': {
        'make': lambda: InceptionResnetV1(classify=True, num_classes=8631),
        'network': 'inception_resnet_v1',
        'options': {'numClasses': 8631},
        'inputs': [{'shape': [1, 3, 80, 80]}],
        'source': f'{VERSION}: InceptionResnetV1(pretrained=None, classify=True, num_classes=8631)',
    },
    'mtcnn_pnet': window('PNet', [20, 31]),
    'mtcnn_rnet': window('RNet', [24, 24]),
    'mtcnn_onet': window('ONet', [48, 48]),
})
