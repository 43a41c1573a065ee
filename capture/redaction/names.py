"""Which names are those of secrets: of variables, options, keys of a configuration, parameters of a URL."""

from __future__ import annotations

import binascii
import re
from enum import IntEnum


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What such a name ends with: its last word, or the last word after another one.
_SURE_ENDS = (
    *("password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "privatekey", "authtoken"),
    *("accesstoken", "refreshtoken", "sessiontoken", "identitytoken", "registrytoken", "accountkey"),
)
_SURE = frozenset(["secret", "secrets", "credential", "credentials", "cred", "creds", "authorization"])
_SURE_TOKENS = _words(
    """access agent api app auth authentication aws bearer bot csrf deploy docker github gitlab gh hf hub
    huggingface id identity jwt kaggle kubernetes npm oauth personal private pypi refresh registry sas secret
    security service session slack sso user vault wandb"""
)
# Words of a vocabulary, and other tokens of language models.
_NO_TOKENS = _words(
    """additional audio begin bos class cls codebook decoder end eos eot eou fim first forced image img init
    instance last mask max min n new next newline no num number object out pad padding per placeholder prefix
    prompt sep separator sot space special split start stop suffix system target text token trigger unk
    unknown validation video vision vocab word"""
)
_SURE_KEYS = _words(
    """access account admin aes api app application auth client consumer deploy deployment encrypt encryption
    fernet functions hf hmac jwt license licence master openai anthropic passphrase pgp gpg private rsa secret
    service session shared signing ssh subscription wandb webhook"""
)
_PASS = _words(
    """admin auth database db email ftp http imap key ldap login mail mongo mysql pg postgres proxy redis root
    sftp smtp ssh sudo user"""
)
_MAYBE = frozenset(["key", "auth", "pat", "cookie", "webhook", "dsn", "pwd", "pass", "sig", "signature"])
# Words at the end of a name that say nothing: API_KEY_PROD, client-key-data, webhook_url.
_IDLE = _words(
    """b64 base64 backup data dev env main new old primary prod production secondary staging str string test
    text url value"""
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST = 100  # characters of a name that are looked at
_PATH = re.compile(r"(?:~|\.{0,2})/[\w@.+/-]+|[\w.-]+\.(?:json|ya?ml|pem|key|txt|cfg|ini|crt|p12)")


class Secrecy(IntEnum):
    """How much a name says that its value is a secret."""

    NO = 0
    RANDOM = 1  # if the value looks random
    LIKELY = 2  # unless the value can't be one
    SURE = 3


def secrecy(name: str) -> Secrecy:
    """How much the name of a variable, an option or a key says."""
    words = [word.lower() for word in _WORD.findall(name[-_LONGEST:].rpartition(".")[2])]
    while len(words) > 1 and words[-1] in _IDLE:
        words.pop()
    if not words:
        return Secrecy.NO
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _SURE or last.endswith(_SURE_ENDS):
        return Secrecy.SURE
    if last == "token" or last.endswith("token"):
        if before in _SURE_TOKENS:
            return Secrecy.SURE
        return Secrecy.NO if before in _NO_TOKENS or last[:-5] in _NO_TOKENS else Secrecy.LIKELY
    if last == "key" and before in _SURE_KEYS:
        return Secrecy.SURE
    if (last == "pass" and before in _PASS) or (last == "pwd" and before not in ("", "old")):
        return Secrecy.SURE
    return Secrecy.RANDOM if last in _MAYBE and name not in ("PWD", "OLDPWD") else Secrecy.NO


def is_secret(name: str, value: str = "") -> bool:
    """Whether what has this name is a secret, such as WANDB_API_KEY.

    A name that does not say so by itself (`key`, `auth`) does with a value that looks random.
    """
    how = secrecy(name)
    if how is Secrecy.RANDOM:
        return is_random(value) or is_basic(value)
    if how is Secrecy.LIKELY:
        return not value.startswith(("<", "[", "{", "$"))
    return how is Secrecy.SURE and not _PATH.fullmatch(value[:200])


def is_random(value: str) -> bool:
    """Whether a value looks like what a machine has drawn: long, in one piece, letters and digits mixed."""
    if not 16 <= len(value) <= 4096 or not re.fullmatch(r"[\w.~+/=!@#$%^&*:-]+", value, re.ASCII):
        return False
    if _PATH.fullmatch(value):
        return False
    return len(re.findall(r"(?<=[a-zA-Z])\d|(?<=\d)[a-zA-Z]", value[:200])) >= 3


def is_basic(value: str) -> bool:
    """Whether a value is `user:password` in base64, as docker's configuration has it."""
    if len(value) % 4 or not re.fullmatch(r"[A-Za-z0-9+/]{8,1000}={0,2}", value):
        return False
    return re.fullmatch(rb"[^:]+:.+", binascii.a2b_base64(value), re.S) is not None
