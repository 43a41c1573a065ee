"""Words of other languages than English for metrics, for parts of the data, and for what counts a run.

In Chinese, Japanese and Korean they are parts of a name, without a space between: `验证集准确率`.
"""

from __future__ import annotations

import re

_METRICS = """
损失 損失 准确率 準確率 正确率 正確率 精确率 精度 召回率 困惑度 奖励 獎勵 正解率 適合率 再現率 報酬
손실 정확도 정밀도 재현율 보상
verlust genauigkeit perplexität perplexitaet belohnung pérdida perdida exactitud precisión recompensa
précision récompense perda acurácia acuracia perdita accuratezza потери потеря точность kayıp doğruluk
"""
_SPLITS = """
训练 訓練 学習 학습 훈련 验证 驗證 検証 검증 测试 測試 テスト 테스트
validierung entrenamiento validación validacion entraînement entrainement treino validação обучение валидация
"""
EPOCHS = (
    "epoche", "epochen", "epoca", "época", "epoque", "époque", "эпоха", "エポック", "에폭", "에포크", "이폭",
    "轮次", "轮数",
)  # fmt: skip
STEPS = (
    "イテレーション",
    "ステップ",
    "스텝",
    "迭代",
    "迭代次数",
    "步数",
    "iteración",
    "itération",
    "schritt",
)

_METRIC = re.compile("|".join(_METRICS.split()))
_SPLIT = re.compile("|".join(_SPLITS.split()))
_SPLIT_ALONE = re.compile(rf"(?:{'|'.join(_SPLITS.split())})(?:集|セット|データ|세트)?")
# By which a line is known for one of metrics, with both cases of a first letter.
TEXTS = frozenset(word[1:] if word.isascii() else word for word in _METRICS.split())


def is_metric(name: str) -> bool:
    """Whether a word of the name, or a part of one, is that of a metric."""
    return _METRIC.search(name.lower()) is not None


def is_split(word: str) -> bool:
    """Whether the word names a part of the data."""
    return _SPLIT_ALONE.fullmatch(word.lower()) is not None


def names_split(name: str) -> bool:
    """Whether the name says which part of the data it was measured on."""
    return _SPLIT.search(name.lower()) is not None
