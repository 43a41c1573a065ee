"""The words by which a line of an unknown program is known for a line of metrics."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from capture.language.required_text import prefilter
from capture.parsers import languages


class Clarity(IntEnum):
    """How clearly a name says that its number is a metric."""

    NONE = 0  # not at all: a setting, or a word of anything else
    BESIDE = 1  # it is none, but is printed beside metrics: `lr`, `grad_norm`, `time`
    WEAK = 2  # other programs use it too: `score`, `error`; it needs a split, a step or an epoch with it
    CLEAR = 3  # whatever is around it: `val_loss`

    def less(self) -> Clarity:
        """The next lower one."""
        return Clarity(max(self - 1, 0))


# Each as a whole part of a name: `val_loss`, `mean-IoU`, `trainLoss`, `top1/acc`.
_CLEAR = re.compile(
    r"(?!stoploss)[a-z]*loss\d*|acc\d*|accuracy|accuracies|perplexity|ppl|auc|auroc|aucpr|auprc|f1|f1score|bleu\d?|rouge\w?"
    r"|rouge(?:sum|lsum)|rewards?|rew|mse|rmse|nrmse|rmsle|mae|mape|smape|(?:mean|m)?iou|dice|psnr|ssim|map\d{2,3}"
    r"|bpb|bpc|bpd|mrr|wer|cer|ndcg|nll|elbo|mcc|epe|recall|logloss|eer|meteor|cider|chrf|comet"
    r"|mindcf|objf|log(?:lik|likelihood|prob)|rank\d+"
)
# Of the first results: `Prec@1`, `HR@10`, `HITS@3`.
_AT_RANK = re.compile(
    r"(?i)(?:.*[\W_])?(?:(?:prec|precision|p|r|recall|hits?|hr|map|ap|rank|top)@|[Rr]ank-)\d+"
)
_PHRASES = [
    {"cross", "entropy"}, {"function", "value"}, {"f", "score"}, {"log", "likelihood"}, {"log", "prob"},
    {"log", "evidence"}, {"mean", "rank"}, {"mean", "ap"}, {"reciprocal", "rank"},
]  # fmt: skip
# Words that other programs use too.
_WEAK = re.compile(
    r"losses|scores?|metric|kld?|recons?(?:truction)?|inertia|fitness|err|error|precision|prec|map|return|returns|ret|r2|kappa|fid|hits?|top\d|cost|objective|squared?|absolute"
)
# Words of numbers that are printed beside metrics.
_BESIDE = re.compile(
    r"lr|lrs|rate|norm|gnorm|grad|entropy|eps|epsilon|temp|temperature|momentum|wd|wps|ups|fps|mfu|throughput"
    r"|speed|tokens?|tok|time|data|mem|memory|samples|examples|std|var|ce|bce|beta|alpha|explained|value|len|length"
)
# Words of settings: `loss_weight: 0.5` says nothing of how well it goes.
_SETTING = re.compile(
    r"weights?|scaler?|coefs?|coeff|coefficients?|smoothing|threshold|thresh|tolerance|tol|limit|patience|type"
    r"|fn|func|function|name|freq|frequency|every|interval|size|num|number|count|counter|cnt|reduction|clip|clipping"
    r"|target|goal|enabled?|disabled?|decay|factor|schedule[rs]?|warmup|packet|stop|margin|window|budget|version"
    r"|timeout|pkt|packets?|reply|registration|requested|packing|decimals|emax|ewald|port|id|idx|index|code|codes|offset|shape|dim|dims|bits|ms|sec|secs|seconds|log2|handler"
    r"|normalizer|init|seed|mode|decimal|places?|heat|insertion|profit|config|rows?|lines?|rank|workers?|buffer|queue"
)
# A name that says that the line is a list of settings.
_CONFIG = re.compile(
    r"(?i)(?:per_device_\w+|\w*batch_?size|num_\w+|n_\w+|(?:max|warmup|total)_(?:steps|epochs|iters|length)|seed|optim\w*"
    r"|weight_?decay|dropout|hidden_\w+|\w*_dim|\w*_layers?|\w*_path|\w*_dir|device|model|dataset|patience|betas?"
    r"|amsgrad|momentum|nesterov|\w+_threshold|\w+_weights?|\w+_coef|\w+_scheduler|gamma|version|verbose|criterion)"
)
# The names by which programs call what they are asked for.
_HYPERPARAMETER = re.compile(
    r"(?i)(?:\w*(?:learning_?rate|batch_?size|weight_?decay|dropout|warmup\w*|grad(?:ient)?_(?:accum|clip)\w*)\w*"
    r"|\w*lr\d?|lrf|base_lr|n?_?epochs?|\w+_epochs|(?:max|num|total|train|n|eval|save)_(?:steps|iters?|iterations|timesteps)"
    r"|(?:random_)?seed|optim(?:izer)?\w*|\w*scheduler\w*|momentum|nesterov|gamma|adam_\w+|betas?|beta\d"
    r"|n_?(?:layers?|heads?|embd|envs)|num_\w*(?:layers|heads|workers|classes)|hidden_\w+|\w*_dim|d_model|dim|embd?_\w+"
    r"|block_size|vocab_size|seq_len\w*|max_(?:seq_)?len\w*|context_\w+|patience|label_smoothing|image_?size|imgsz|img_size"
    r"|arch|backbone|model(?:_name\w*|_type)?|dataset(?:_name)?|data_?(?:dir|path|root)|output_?dir|device|workers"
    r"|per_device_\w+|max_depth|num_leaves|n_estimators|num_rounds?|eta|subsample|objective|tree_method"
    r"|bf16|fp16|amp|dtype|precision|grad_norm_clip|max_grad_norm|clip_\w+|alpha|eps(?:ilon)?|temperature)"
)
_CLOCKS = frozenset(["eta", "elapsed", "remaining", "epochs", "steps", "iters", "batches", "total", "batch"])
_RETURNS, _AVERAGES = frozenset(["return", "returns"]), frozenset(["mean", "average", "avg", "std"])
_MODEL_PARTS = frozenset(["d", "g", "discriminator", "generator", "adversarial", "critic"])
_PROCESSES = frozenset(
    [
        "run",
        "seed",
        "rank",
        "dp",
        "pp",
        "tp",
        "gpu",
        "cuda",
        "device",
        "worker",
        "process",
        "job",
        "exp",
        "experiment",
    ]
)
SPLIT = r"(?i:train(?:ing)?|val(?:i|id(?:ation|ate)?)?|test(?:ing)?|eval(?:uation)?|dev)"  # parts of the data
_SPLIT = re.compile(SPLIT)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# One of these is in every line of metrics: one search for all of them decides whether a line is looked at
# more closely, so they are few.
# A word without its first letter is for its two spellings: `eward` is in `Reward` and `reward`.  Where the
# word is short, both are here, since `oss` or `rr` is in too much else; and `wer` or `err` alone is in
# `answer` and `ERROR` of any log, so a sign belongs to it.
_TEXTS = """
loss Loss LOSS acc Acc ACC error Error err: err= score Score SCORE cost Cost return Return bjective eward
REWARD _rew rew: Rew: itness
erplexity ppl PPL auc AUC auroc AUROC f1 F1 recision ecall bleu BLEU ouge ROUGE mse MSE mae
MAE mape MAPE dice Dice iou IoU IOU mAP map50 MAP: MAP= psnr PSNR ssim SSIM ndcg NDCG nll NLL elbo ELBO mcc
MCC bpb bpc bpd mrr MRR EPE WER CER EER METEOR CIDEr Bleu rec@ its@ ITS@ HR@ wer: wer= cer: cer= eer: eer=
KL: KL= kl: kl= KLD kld Recon: recon: recon= econstruction ikelihood ogprob objf
Rank- rank- top1 top5 Top1 Top5 top-1 top-5 Top-1 Top-5 DCF hrF COMET R² nertia
ross-entropy ross_entropy rossEntropy err-top lr= lr:
LR= LR: best_metric
"""
_SPACED_TEXTS = (
    "unction value",
    "est metric",
    "lr =",
    " lr ",
    "og prob",
    "og evidence",
    "ean AP",
    "ean Rank",
    "ean rank",
    "rocal Rank",
    "rocal rank",
    "earning rate",
    "earning Rate",
    "uccess rate",
    "uccess_rate",
    "win rate",
    "win_rate",
)
_SPLITS = ("rain: ", "rain=")  # Train: 0.91, Val: 0.85
# Validation:   Test set:   Train results:
_HEADINGS = """
rain: raining: alid: alidation: Val: val: Test: esting: Eval: Evaluation: TRAIN: VALIDATION: VAL: TEST: EVAL:
"""
# Lines without any of them are looked at, too, if they have a word that counts, and keep being printed.
_COUNTERS = "step Step STEP iter Iter ITER poch EPOCH pisode EPISODE eneration GENERATION Itr itr"
_SIGNED_COUNTERS = "Batch: Round: Update: Tick: Ep: ep: Gen: gen: atch= ound= pdate= ick= Ep= ep= Gen= gen="
_COMMON_COUNTERS = ("atch", "ound", "pdate", "ick", "Ep", "ep", "gen", "Gen")  # in too much else
_COUNTER_TEXTS = frozenset(
    [
        *_COUNTERS.split(),
        *_SIGNED_COUNTERS.split(),
        *(f"{word} {digit}" for word in _COMMON_COUNTERS for digit in range(10)),
    ]
)
_METRIC_TEXTS = frozenset(
    [
        *_TEXTS.split(),
        *_SPACED_TEXTS,
        *_HEADINGS.split(),
        *languages.TEXTS,
        *(f"{split}{digit}" for split in _SPLITS for digit in range(10)),
    ]
)
LITERALS = _METRIC_TEXTS | _COUNTER_TEXTS
_holds_metric, _holds_counter = prefilter([_METRIC_TEXTS]), prefilter([_COUNTER_TEXTS])


def holds_metric(text: str) -> bool:
    """Whether the text may hold a metric's word."""
    return _holds_metric is None or _holds_metric(text)


def holds_counter(text: str) -> bool:
    """Whether the text may hold a word that counts what the run has done."""
    return _holds_counter is None or _holds_counter(text)


@lru_cache(maxsize=4096)
def clarity(name: str) -> Clarity:
    """How clearly this is the name of a metric."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name.replace("²", "2")) if word]
    parts = [part for word in words for part in (word.lower(), *map(str.lower, _PARTS.findall(word)))]
    if _AT_RANK.fullmatch(name) or languages.is_metric(name):
        return Clarity.CLEAR
    if any(phrase <= set(parts) for phrase in _PHRASES):
        return Clarity.CLEAR
    if {"loss", "rate"} <= set(parts):  # of packets
        return Clarity.NONE
    if any(_SETTING.fullmatch(part) for part in parts):
        return Clarity.BESIDE if any(_CLEAR.fullmatch(part) for part in parts) else Clarity.NONE
    if any(_CLEAR.fullmatch(part) for part in parts) or any(word.startswith("mAP") for word in words):
        return Clarity.CLEAR
    weak = {part for part in parts if _WEAK.fullmatch(part)}
    if "rate" in parts:
        weak |= {"success", "win"} & set(parts)
    if weak:
        is_clear = len(weak) > 1 or "best" in parts or any(_SPLIT.fullmatch(part) for part in parts)
        is_clear |= not _RETURNS.isdisjoint(weak) and not _AVERAGES.isdisjoint(parts)
        return Clarity.CLEAR if is_clear else Clarity.WEAK
    return Clarity.BESIDE if "/" in name or any(_BESIDE.fullmatch(part) for part in parts) else Clarity.NONE


@lru_cache(maxsize=4096)
def is_learning_rate(name: str) -> bool:
    """Whether this is the learning rate: a line with no other metric is one of a training all the same."""
    return re.fullmatch(r"(?i)lr|(?:current )?learning[ _]rate", name) is not None


def is_process(name: str) -> bool:
    """Whether the name tells one run or process from another: `rank 3`."""
    return name.lower() in _PROCESSES


def in_decibels(name: str) -> bool:
    """Whether the name is of a metric that has a unit."""
    return re.search(r"(?i)snr|sdr", name) is not None


def is_setting(name: str) -> bool:
    """Whether this name is found in lists of settings and nowhere else."""
    return _CONFIG.fullmatch(name) is not None


def is_setting_word(name: str) -> bool:
    """Whether a word of the name is one of settings, clocks and counts: `patience`, `eta`."""
    return any(_SETTING.fullmatch(part) or part in _CLOCKS for part in re.split(r"\W+|_", name.lower()))


def is_hyperparameter(name: str) -> bool:
    """Whether programs give this name to what they are asked for."""
    return _HYPERPARAMETER.fullmatch(name) is not None


def is_split(word: str) -> bool:
    """Whether the word names a part of the data: train, validation, ..."""
    return _SPLIT.fullmatch(word) is not None or languages.is_split(word)


def is_part(word: str) -> bool:
    """Whether the word names a part of the data, or of a model of two parts: `D loss: 0.5, acc: 63%`."""
    return is_split(word) or is_model_part(word)


def is_model_part(word: str) -> bool:
    """Whether the word names a part of a model of two parts."""
    return word.strip() == "A" or word.strip().lower() in _MODEL_PARTS


@lru_cache(maxsize=4096)
def names_split(name: str) -> bool:
    """Whether the name says which part of the data it was measured on."""
    return any(is_split(part) for part in re.split(r"[\W_]+", name)) or languages.names_split(name)
