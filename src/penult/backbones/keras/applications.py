"""What is known of ``keras.applications`` without importing Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penult.recipe import Preprocessing

__all__ = ["KERAS_MODELS", "KerasModel", "keras_preprocessing"]

_ORIGIN = "https://storage.googleapis.com/"


@dataclass(frozen=True)
class KerasModel:
    """One model function of ``keras.applications``.

    Attributes
    ----------
    mode : of its ``preprocess_input``; ``"none"`` where the network itself scales the pixels
    size : side of its square input, in pixels
    features : length of the penultimate row
    parameters : number of learned and of running values
    top1 : ImageNet-1k top-1 accuracy in percent, from the table on https://keras.io/api/applications
    licence : of the weights: what the documentation of Keras 2.3 said, and for the later models
        the licence of the repository that Keras names as the weights' origin
    path : of the weights below Keras's origin
    digest : MD5 or SHA-256 that Keras itself checks, or None where it checks nothing
    saved_as : the file's name in Keras's cache, where it is not the last part of `path`
    """

    mode: Literal["caffe", "tf", "torch", "none"]
    size: int
    features: int
    parameters: int
    top1: float | None
    licence: str
    path: str
    digest: str | None
    saved_as: str | None = None

    @property
    def url(self) -> str:
        """From where Keras itself downloads the weights."""
        return _ORIGIN + self.path

    @property
    def file(self) -> str:
        """The weights' name in Keras's cache."""
        return self.saved_as or self.path.rpartition("/")[2]


def keras_preprocessing(model: KerasModel) -> Preprocessing:
    """Keras's own convention: ``load_img`` squashes with *nearest*, ``preprocess_input`` scales.

    On the scale of `Preprocessing`, where pixels have been divided by 255. The numbers are those
    of ``keras.applications.imagenet_utils`` (a test compares).
    """
    mean, std = {
        "caffe": ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3),
        "tf": ((0.5,) * 3, (0.5,) * 3),
        "torch": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "none": ((0.0,) * 3, (1 / 255,) * 3),
    }[model.mode]
    return Preprocessing(
        resize=(model.size, model.size),
        crop=None,
        interpolation="nearest",
        mean=mean,
        std=std,
        channels="BGR" if model.mode == "caffe" else "RGB",
    )


# NASNetMobile is absent: Keras refuses it on the torch backend, where it computes wrong numbers
# (https://github.com/keras-team/keras/issues/18451).
KERAS_MODELS = {
    "ConvNeXtBase": KerasModel(
        "none", 224, 1024, 88_591_464, 85.3, "mit",
        "tensorflow/keras-applications/convnext/convnext_base.h5",
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
    ),
    "ConvNeXtLarge": KerasModel(
        "none", 224, 1536, 197_767_336, 86.3, "mit",
        "tensorflow/keras-applications/convnext/convnext_large.h5",
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
    ),
    "ConvNeXtSmall": KerasModel(
        "none", 224, 768, 50_223_688, 82.3, "mit",
        "tensorflow/keras-applications/convnext/convnext_small.h5",
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
    ),
    "ConvNeXtTiny": KerasModel(
        "none", 224, 768, 28_589_128, 81.3, "mit",
        "tensorflow/keras-applications/convnext/convnext_tiny.h5",
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
    ),
    "ConvNeXtXLarge": KerasModel(
        "none", 224, 2048, 350_196_968, 86.7, "mit",
        "tensorflow/keras-applications/convnext/convnext_xlarge.h5",
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
    ),
    "DenseNet121": KerasModel(
        "torch", 224, 1024, 8_062_504, 75.0, "bsd-3-clause",
        "tensorflow/keras-applications/densenet/densenet121_weights_tf_dim_ordering_tf_kernels.h5",
        "9d60b8095a5708f2dcce2bca79d332c7",
    ),
    "DenseNet169": KerasModel(
        "torch", 224, 1664, 14_307_880, 76.2, "bsd-3-clause",
        "tensorflow/keras-applications/densenet/densenet169_weights_tf_dim_ordering_tf_kernels.h5",
        "d699b8f76981ab1b30698df4c175e90b",
    ),
    "DenseNet201": KerasModel(
        "torch", 224, 1920, 20_242_984, 77.3, "bsd-3-clause",
        "tensorflow/keras-applications/densenet/densenet201_weights_tf_dim_ordering_tf_kernels.h5",
        "1ceb130c1ea1b78c3bf6114dbdfd8807",
    ),
    "EfficientNetB0": KerasModel(
        "none", 224, 1280, 5_330_571, 77.1, "apache-2.0",
        "keras-applications/efficientnetb0.h5",
        "902e53a9f72be733fc0bcb005b3ebbac",
    ),
    "EfficientNetB1": KerasModel(
        "none", 240, 1280, 7_856_239, 79.1, "apache-2.0",
        "keras-applications/efficientnetb1.h5",
        "1d254153d4ab51201f1646940f018540",
    ),
    "EfficientNetB2": KerasModel(
        "none", 260, 1408, 9_177_569, 80.1, "apache-2.0",
        "keras-applications/efficientnetb2.h5",
        "b15cce36ff4dcbd00b6dd88e7857a6ad",
    ),
    "EfficientNetB3": KerasModel(
        "none", 300, 1536, 12_320_535, 81.6, "apache-2.0",
        "keras-applications/efficientnetb3.h5",
        "ffd1fdc53d0ce67064dc6a9c7960ede0",
    ),
    "EfficientNetB4": KerasModel(
        "none", 380, 1792, 19_466_823, 82.9, "apache-2.0",
        "keras-applications/efficientnetb4.h5",
        "18c95ad55216b8f92d7e70b3a046e2fc",
    ),
    "EfficientNetB5": KerasModel(
        "none", 456, 2048, 30_562_527, 83.6, "apache-2.0",
        "keras-applications/efficientnetb5.h5",
        "ace28f2a6363774853a83a0b21b9421a",
    ),
    "EfficientNetB6": KerasModel(
        "none", 528, 2304, 43_265_143, 84.0, "apache-2.0",
        "keras-applications/efficientnetb6.h5",
        "165f6e37dce68623721b423839de8be5",
    ),
    "EfficientNetB7": KerasModel(
        "none", 600, 2560, 66_658_687, 84.3, "apache-2.0",
        "keras-applications/efficientnetb7.h5",
        "8c03f828fec3ef71311cd463b6759d99",
    ),
    "EfficientNetV2B0": KerasModel(
        "none", 224, 1280, 7_200_312, 78.7, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b0.h5",
        "21ecbf6da12460d5c40bb2f29ceb2188",
    ),
    "EfficientNetV2B1": KerasModel(
        "none", 240, 1280, 8_212_124, 79.8, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b1.h5",
        "069f0534ff22adf035c89e2d9547a9dc",
    ),
    "EfficientNetV2B2": KerasModel(
        "none", 260, 1408, 10_178_374, 80.5, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b2.h5",
        "424e49f28180edbde1e94797771950a7",
    ),
    "EfficientNetV2B3": KerasModel(
        "none", 300, 1536, 14_467_622, 82.0, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b3.h5",
        "1f1fc43bd98a6e4fd8fdfd551e02c7a0",
    ),
    "EfficientNetV2L": KerasModel(
        "none", 480, 1280, 119_027_848, 85.7, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-l.h5",
        "27e6d408b53c7ebc868fefa357689935",
    ),
    "EfficientNetV2M": KerasModel(
        "none", 480, 1280, 54_431_388, 85.3, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-m.h5",
        "a3bf6aa3276309f4fc6a34aa114c95cd",
    ),
    "EfficientNetV2S": KerasModel(
        "none", 384, 1280, 21_612_360, 83.9, "apache-2.0",
        "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-s.h5",
        "e1d88a8495beba45748fedd0cecbe016",
    ),
    "InceptionResNetV2": KerasModel(
        "tf", 299, 1536, 55_873_736, 80.3, "apache-2.0",
        "tensorflow/keras-applications/inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5",
        "e693bd0210a403b3192acc6073ad2e96",
    ),
    "InceptionV3": KerasModel(
        "tf", 299, 2048, 23_851_784, 77.9, "apache-2.0",
        "tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        "9a0d58056eeedaa3f26cb7ebd46da564",
    ),
    "MobileNet": KerasModel(
        "tf", 224, 1024, 4_253_864, 70.4, "apache-2.0",
        "tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf.h5",
        None,
    ),
    "MobileNetV2": KerasModel(
        "tf", 224, 1280, 3_538_984, 71.3, "apache-2.0",
        "tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
        None,
    ),
    "MobileNetV3Large": KerasModel(
        "none", 224, 1280, 5_507_432, None, "apache-2.0",
        "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5",
        "59e551e166be033d707958cf9e29a6a7",
    ),
    "MobileNetV3Small": KerasModel(
        "none", 224, 1024, 2_554_968, None, "apache-2.0",
        "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5",
        "8768d4c2e7dee89b9d02b2d03d65d862",
    ),
    "NASNetLarge": KerasModel(
        "tf", 331, 4032, 88_949_818, 82.5, "apache-2.0",
        "tensorflow/keras-applications/nasnet/NASNet-large.h5",
        "11577c9a518f0070763c2b964a382f17", "nasnet_large.h5",
    ),
    "ResNet101": KerasModel(
        "caffe", 224, 2048, 44_707_176, 76.4, "mit",
        "tensorflow/keras-applications/resnet/resnet101_weights_tf_dim_ordering_tf_kernels.h5",
        "f1aeb4b969a6efcfb50fad2f0c20cfc5",
    ),
    "ResNet101V2": KerasModel(
        "tf", 224, 2048, 44_675_560, 77.2, "bsd-3-clause",
        "tensorflow/keras-applications/resnet/resnet101v2_weights_tf_dim_ordering_tf_kernels.h5",
        "6343647c601c52e1368623803854d971",
    ),
    "ResNet152": KerasModel(
        "caffe", 224, 2048, 60_419_944, 76.6, "mit",
        "tensorflow/keras-applications/resnet/resnet152_weights_tf_dim_ordering_tf_kernels.h5",
        "100835be76be38e30d865e96f2aaae62",
    ),
    "ResNet152V2": KerasModel(
        "tf", 224, 2048, 60_380_648, 78.0, "bsd-3-clause",
        "tensorflow/keras-applications/resnet/resnet152v2_weights_tf_dim_ordering_tf_kernels.h5",
        "a49b44d1979771252814e80f8ec446f9",
    ),
    "ResNet50": KerasModel(
        "caffe", 224, 2048, 25_636_712, 74.9, "mit",
        "tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        "2cb95161c43110f7111970584f804107",
    ),
    "ResNet50V2": KerasModel(
        "tf", 224, 2048, 25_613_800, 76.0, "bsd-3-clause",
        "tensorflow/keras-applications/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels.h5",
        "3ef43a0b657b3be2300d5770ece849e0",
    ),
    "VGG16": KerasModel(
        "caffe", 224, 4096, 138_357_544, 71.3, "cc-by-4.0",
        "tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        "64373286793e3c8b2b4e3219cbf3544b",
    ),
    "VGG19": KerasModel(
        "caffe", 224, 4096, 143_667_240, 71.3, "cc-by-4.0",
        "tensorflow/keras-applications/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
        "cbe5617147190e668d6c5d5026f83318",
    ),
    "Xception": KerasModel(
        "tf", 299, 2048, 22_910_480, 79.0, "mit",
        "tensorflow/keras-applications/xception/xception_weights_tf_dim_ordering_tf_kernels.h5",
        "0a58e3b7378bc2990ea3b43d5981f1f6",
    ),
}  # fmt: skip
