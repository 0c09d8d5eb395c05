"""Backbones: what turns an image into features. A new one is a row here; a new family brings its `Layout` along.

`build` names a function `(name, channels, image_size) -> torch.nn.Module` as "module:function"; it is imported only
where training happens, because torch costs seconds. What it returns keeps its own head:
`engine.training.network.model` fits input layer and head to the data.
"""

from dataclasses import dataclass

from engine.catalog.layouts import (
    ALEXNET,
    CONVNEXT,
    DENSENET,
    EFFICIENTNET,
    EFFICIENTNET_V2_S,
    GOOGLENET,
    INCEPTION,
    MAXVIT,
    MNASNET,
    MOBILENET_V2,
    MOBILENET_V3_LARGE,
    MOBILENET_V3_SMALL,
    REGNET,
    RESNET,
    SHUFFLENET,
    SMALL_CNN,
    SQUEEZENET_0,
    SQUEEZENET_1,
    SWIN,
    Layout,
    vgg,
    vit,
)

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Backbone:
    label: str
    layout: Layout
    parameters_m: float  # millions, with its own head at its own size
    px: int = 224  # image size it was made for
    weights_file: str = ""  # of torchvision's default weights, in torch's cache; "": there are none
    recipe: tuple[tuple[float, ...], tuple[float, ...]] = IMAGENET  # mean and std that those weights expect, 0 to 1
    build: str = "engine.training.network.model:from_torchvision"

    @property
    def note(self) -> str:
        return self.layout.note

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that hold features, from input to head; the head itself comes after them."""
        return tuple(self.layout.stages)


BACKBONES: dict[str, Backbone] = {
    "small_cnn": Backbone("Small CNN", SMALL_CNN, 1.16, px=64, build="engine.training.network.model:small_cnn"),
    "resnet18": Backbone("ResNet-18", RESNET, 11.69, weights_file="resnet18-f37072fd.pth"),
    "resnet34": Backbone("ResNet-34", RESNET, 21.80, weights_file="resnet34-b627a593.pth"),
    "resnet50": Backbone("ResNet-50", RESNET, 25.56, weights_file="resnet50-11ad3fa6.pth"),
    "resnet101": Backbone("ResNet-101", RESNET, 44.55, weights_file="resnet101-cd907fc2.pth"),
    "resnet152": Backbone("ResNet-152", RESNET, 60.19, weights_file="resnet152-f82ba261.pth"),
    "resnext50_32x4d": Backbone("ResNeXt-50 32x4d", RESNET, 25.03, weights_file="resnext50_32x4d-1a0047aa.pth"),
    "resnext101_32x8d": Backbone("ResNeXt-101 32x8d", RESNET, 88.79, weights_file="resnext101_32x8d-110c445d.pth"),
    "resnext101_64x4d": Backbone("ResNeXt-101 64x4d", RESNET, 83.46, weights_file="resnext101_64x4d-173b62eb.pth"),
    "wide_resnet50_2": Backbone("Wide ResNet-50-2", RESNET, 68.88, weights_file="wide_resnet50_2-9ba9bcbe.pth"),
    "wide_resnet101_2": Backbone("Wide ResNet-101-2", RESNET, 126.89, weights_file="wide_resnet101_2-d733dc28.pth"),
    "vgg11": Backbone("VGG-11", vgg("1 1 2 2 2"), 132.86, weights_file="vgg11-8a719046.pth"),
    "vgg11_bn": Backbone("VGG-11 BN", vgg("1 1 2 2 2", normed=True), 132.87, weights_file="vgg11_bn-6002323d.pth"),
    "vgg13": Backbone("VGG-13", vgg("2 2 2 2 2"), 133.05, weights_file="vgg13-19584684.pth"),
    "vgg13_bn": Backbone("VGG-13 BN", vgg("2 2 2 2 2", normed=True), 133.05, weights_file="vgg13_bn-abd245e5.pth"),
    "vgg16": Backbone("VGG-16", vgg("2 2 3 3 3"), 138.36, weights_file="vgg16-397923af.pth"),
    "vgg16_bn": Backbone("VGG-16 BN", vgg("2 2 3 3 3", normed=True), 138.37, weights_file="vgg16_bn-6c64b313.pth"),
    "vgg19": Backbone("VGG-19", vgg("2 2 4 4 4"), 143.67, weights_file="vgg19-dcbb9e9d.pth"),
    "vgg19_bn": Backbone("VGG-19 BN", vgg("2 2 4 4 4", normed=True), 143.68, weights_file="vgg19_bn-c79401a0.pth"),
    "densenet121": Backbone("DenseNet-121", DENSENET, 7.98, weights_file="densenet121-a639ec97.pth"),
    "densenet161": Backbone("DenseNet-161", DENSENET, 28.68, weights_file="densenet161-8d451a50.pth"),
    "densenet169": Backbone("DenseNet-169", DENSENET, 14.15, weights_file="densenet169-b2777c0a.pth"),
    "densenet201": Backbone("DenseNet-201", DENSENET, 20.01, weights_file="densenet201-c1103571.pth"),
    "mobilenet_v2": Backbone("MobileNetV2", MOBILENET_V2, 3.50, weights_file="mobilenet_v2-7ebf99e0.pth"),
    "mobilenet_v3_small": Backbone(
        "MobileNetV3 Small", MOBILENET_V3_SMALL, 2.54, weights_file="mobilenet_v3_small-047dcff4.pth"
    ),
    "mobilenet_v3_large": Backbone(
        "MobileNetV3 Large", MOBILENET_V3_LARGE, 5.48, weights_file="mobilenet_v3_large-5c1a4163.pth"
    ),
    "efficientnet_b0": Backbone(
        "EfficientNet-B0", EFFICIENTNET, 5.29, weights_file="efficientnet_b0_rwightman-7f5810bc.pth"
    ),
    "efficientnet_b1": Backbone(
        "EfficientNet-B1", EFFICIENTNET, 7.79, px=240, weights_file="efficientnet_b1-c27df63c.pth"
    ),
    "efficientnet_b2": Backbone(
        "EfficientNet-B2", EFFICIENTNET, 9.11, px=288, weights_file="efficientnet_b2_rwightman-c35c1473.pth"
    ),
    "efficientnet_b3": Backbone(
        "EfficientNet-B3", EFFICIENTNET, 12.23, px=300, weights_file="efficientnet_b3_rwightman-b3899882.pth"
    ),
    "efficientnet_b4": Backbone(
        "EfficientNet-B4", EFFICIENTNET, 19.34, px=380, weights_file="efficientnet_b4_rwightman-23ab8bcd.pth"
    ),
    "efficientnet_b5": Backbone(
        "EfficientNet-B5", EFFICIENTNET, 30.39, px=456, weights_file="efficientnet_b5_lukemelas-1a07897c.pth"
    ),
    "efficientnet_b6": Backbone(
        "EfficientNet-B6", EFFICIENTNET, 43.04, px=528, weights_file="efficientnet_b6_lukemelas-24a108a5.pth"
    ),
    "efficientnet_b7": Backbone(
        "EfficientNet-B7", EFFICIENTNET, 66.35, px=600, weights_file="efficientnet_b7_lukemelas-c5b4e57e.pth"
    ),
    "efficientnet_v2_s": Backbone(
        "EfficientNetV2-S", EFFICIENTNET_V2_S, 21.46, px=384, weights_file="efficientnet_v2_s-dd5fe13b.pth"
    ),
    "efficientnet_v2_m": Backbone(
        "EfficientNetV2-M", EFFICIENTNET, 54.14, px=480, weights_file="efficientnet_v2_m-dc08266a.pth"
    ),
    "efficientnet_v2_l": Backbone(
        "EfficientNetV2-L", EFFICIENTNET, 118.52, px=480, recipe=HALF, weights_file="efficientnet_v2_l-59c71312.pth"
    ),
    "convnext_tiny": Backbone("ConvNeXt Tiny", CONVNEXT, 28.59, weights_file="convnext_tiny-983f1562.pth"),
    "convnext_small": Backbone("ConvNeXt Small", CONVNEXT, 50.22, weights_file="convnext_small-0c510722.pth"),
    "convnext_base": Backbone("ConvNeXt Base", CONVNEXT, 88.59, weights_file="convnext_base-6075fbad.pth"),
    "convnext_large": Backbone("ConvNeXt Large", CONVNEXT, 197.77, weights_file="convnext_large-ea097f82.pth"),
    "regnet_x_400mf": Backbone("RegNetX-400MF", REGNET, 5.50, weights_file="regnet_x_400mf-62229a5f.pth"),
    "regnet_x_800mf": Backbone("RegNetX-800MF", REGNET, 7.26, weights_file="regnet_x_800mf-94a99ebd.pth"),
    "regnet_x_1_6gf": Backbone("RegNetX-1.6GF", REGNET, 9.19, weights_file="regnet_x_1_6gf-a12f2b72.pth"),
    "regnet_x_3_2gf": Backbone("RegNetX-3.2GF", REGNET, 15.30, weights_file="regnet_x_3_2gf-7071aa85.pth"),
    "regnet_x_8gf": Backbone("RegNetX-8GF", REGNET, 39.57, weights_file="regnet_x_8gf-2b70d774.pth"),
    "regnet_x_16gf": Backbone("RegNetX-16GF", REGNET, 54.28, weights_file="regnet_x_16gf-ba3796d7.pth"),
    "regnet_x_32gf": Backbone("RegNetX-32GF", REGNET, 107.81, weights_file="regnet_x_32gf-6eb8fdc6.pth"),
    "regnet_y_400mf": Backbone("RegNetY-400MF", REGNET, 4.34, weights_file="regnet_y_400mf-e6988f5f.pth"),
    "regnet_y_800mf": Backbone("RegNetY-800MF", REGNET, 6.43, weights_file="regnet_y_800mf-58fc7688.pth"),
    "regnet_y_1_6gf": Backbone("RegNetY-1.6GF", REGNET, 11.20, weights_file="regnet_y_1_6gf-0d7bc02a.pth"),
    "regnet_y_3_2gf": Backbone("RegNetY-3.2GF", REGNET, 19.44, weights_file="regnet_y_3_2gf-9180c971.pth"),
    "regnet_y_8gf": Backbone("RegNetY-8GF", REGNET, 39.38, weights_file="regnet_y_8gf-dc2b1b54.pth"),
    "regnet_y_16gf": Backbone("RegNetY-16GF", REGNET, 83.59, weights_file="regnet_y_16gf-3e4a00f9.pth"),
    "regnet_y_32gf": Backbone("RegNetY-32GF", REGNET, 145.05, weights_file="regnet_y_32gf-8db6d4b5.pth"),
    "regnet_y_128gf": Backbone(
        "RegNetY-128GF", REGNET, 644.81, px=384, weights_file="regnet_y_128gf_swag-c8ce3e52.pth"
    ),
    "shufflenet_v2_x0_5": Backbone(
        "ShuffleNetV2 x0.5", SHUFFLENET, 1.37, weights_file="shufflenetv2_x0.5-f707e7126e.pth"
    ),
    "shufflenet_v2_x1_0": Backbone(
        "ShuffleNetV2 x1.0", SHUFFLENET, 2.28, weights_file="shufflenetv2_x1-5666bf0f80.pth"
    ),
    "shufflenet_v2_x1_5": Backbone(
        "ShuffleNetV2 x1.5", SHUFFLENET, 3.50, weights_file="shufflenetv2_x1_5-3c479a10.pth"
    ),
    "shufflenet_v2_x2_0": Backbone(
        "ShuffleNetV2 x2.0", SHUFFLENET, 7.39, weights_file="shufflenetv2_x2_0-8be3c8ee.pth"
    ),
    "squeezenet1_0": Backbone("SqueezeNet 1.0", SQUEEZENET_0, 1.25, weights_file="squeezenet1_0-b66bff10.pth"),
    "squeezenet1_1": Backbone("SqueezeNet 1.1", SQUEEZENET_1, 1.24, weights_file="squeezenet1_1-b8a52dc0.pth"),
    "mnasnet0_5": Backbone("MNASNet 0.5", MNASNET, 2.22, weights_file="mnasnet0.5_top1_67.823-3ffadce67e.pth"),
    "mnasnet0_75": Backbone("MNASNet 0.75", MNASNET, 3.17, weights_file="mnasnet0_75-7090bc5f.pth"),
    "mnasnet1_0": Backbone("MNASNet 1.0", MNASNET, 4.38, weights_file="mnasnet1.0_top1_73.512-f206786ef8.pth"),
    "mnasnet1_3": Backbone("MNASNet 1.3", MNASNET, 6.28, weights_file="mnasnet1_3-a4c69d6f.pth"),
    "vit_b_16": Backbone("ViT-B/16", vit(12, 16), 86.57, weights_file="vit_b_16-c867db91.pth"),
    "vit_b_32": Backbone("ViT-B/32", vit(12, 32), 88.22, weights_file="vit_b_32-d86f8d99.pth"),
    "vit_l_16": Backbone("ViT-L/16", vit(24, 16), 304.33, weights_file="vit_l_16-852ce7e3.pth"),
    "vit_l_32": Backbone("ViT-L/32", vit(24, 32), 306.54, weights_file="vit_l_32-c7638314.pth"),
    "vit_h_14": Backbone("ViT-H/14", vit(32, 14), 633.47, px=518, weights_file="vit_h_14_swag-80465313.pth"),
    "swin_t": Backbone("Swin-T", SWIN, 28.29, weights_file="swin_t-704ceda3.pth"),
    "swin_s": Backbone("Swin-S", SWIN, 49.61, weights_file="swin_s-5e29d889.pth"),
    "swin_b": Backbone("Swin-B", SWIN, 87.77, weights_file="swin_b-68c6b09e.pth"),
    "swin_v2_t": Backbone("SwinV2-T", SWIN, 28.35, px=256, weights_file="swin_v2_t-b137f0e2.pth"),
    "swin_v2_s": Backbone("SwinV2-S", SWIN, 49.74, px=256, weights_file="swin_v2_s-637d8ceb.pth"),
    "swin_v2_b": Backbone("SwinV2-B", SWIN, 87.93, px=256, weights_file="swin_v2_b-781e5279.pth"),
    "maxvit_t": Backbone("MaxViT-T", MAXVIT, 30.92, weights_file="maxvit_t-bc5ab103.pth"),
    "alexnet": Backbone("AlexNet", ALEXNET, 61.10, weights_file="alexnet-owt-7be5be79.pth"),
    "googlenet": Backbone("GoogLeNet", GOOGLENET, 6.62, recipe=HALF, weights_file="googlenet-1378be20.pth"),
    "inception_v3": Backbone(
        "Inception v3", INCEPTION, 27.16, px=299, recipe=HALF, weights_file="inception_v3_google-0cc3c7bd.pth"
    ),
}
