"""Lines that speak to whoever reads the transcript, to steer a model. They are data, and they prove nothing.

The patterns are narrow: they want an order, and what a model has been told as its object. People who talk about
instructions, prompts and models do not say that, or say nothing with it that has to be kept.
"""

import re

from recording_insights.derive.facts import folded

_TO_A_MODEL = r"(?:ai|a\.i\.|model|assistant|chatbot|bot|llm|summari[sz]er|note ?taker)"
_ORDERS = re.compile(
    "|".join(
        (
            # English
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
            r"\b(?:above|previous|prior|earlier|preceding|all|your)\b.{0,20}"
            r"\b(?:instructions?|rules?|prompts?|messages?|lines?|guidelines)\b",
            r"\b(?:ignore|disregard|forget)\b.{0,20}\b(?:the above|everything above|all of the above)\b",
            r"\b(?:print|reveal|repeat|show|output|tell|leak|recite|write out)\b.{0,40}"
            r"\b(?:system|hidden|initial|secret) (?:prompt|instructions?|message)\b",
            r"\b(?:print|reveal|output|recite|leak)\b.{0,20}\byour (?:prompt|instructions|rules)\b",
            r"\byou are (?:now|no longer)\b.{0,30}\b(?:ai|llm|language model|chatbot|dan|unrestricted)\b",
            r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt)\s{0,3}:",
            r"\b(?:as|you are) an? (?:ai|(?:large )?language model)(?: (?:assistant|model))?\s{0,3}(?:[,.;:!]|you\b|$)",
            rf"\b(?:note|message|attention|instructions?) (?:to|for) (?:the |any |all )?{_TO_A_MODEL}s?\s{{0,3}}[:,]",
            rf"(?:^|[.!?]\s)(?:dear |hey |hello )?(?:the )?{_TO_A_MODEL}\b\s{{0,3}}[,:] (?:you )?"
            r"(?:must|add|write|insert|include|ignore|output|print)\b",
            rf"\b(?:summary|minutes) {_TO_A_MODEL}\b",
            # The forms of prompts and of answers
            r"</?\s{0,3}(?:system|instructions?|user|assistant|conversation|transcript|lines?|data|prompt)\s{0,3}/?>",
            r"<\|[a-z_]{1,30}\|>|\[/?inst\]|^\W{0,9}(?:system|assistant|human)\s{0,3}:|\b(?:system|assistant)\s{0,3}:\s",
            r"##\s{0,3}(?:system|instructions?|end of)\b",
            r"\bthe lines end here\b",
            r"\bend of (?:the )?(?:lines|transcript|conversation|data)\b.{0,40}\b(?:instructions?|write)\b",
            r"[\"'](?:action_items|decisions|short_summary|evidence|follow_ups)[\"']\s{0,3}:",
            # German
            r"\b(?:ignorier\w*|vergiss|vergesst|missachte\w*)\b.{0,60}"
            r"\b(?:anweisung\w*|instruktion\w*|regeln|prompts?|(?:das|alles) obige)\b",
            r"\b(?:gib|gebt|zeige?|nenne|verrate?|drucke?)\b.{0,40}\b(?:system-?prompts?|systemanweisung\w*)\b",
            # French
            r"\b(?:ignore[zr]?|oublie[zr]?)\b.{0,60}\b(?:instructions?|consignes?|regles?|prompt)\b",
            r"\b(?:affiche[zr]?|revele[zr]?|montre[zr]?|imprime[zr]?)\b.{0,40}\b(?:prompt|instructions? systeme)\b",
            # Spanish, Portuguese, Italian
            r"\b(?:ignora|ignore|ignorad|ignoren|olvida|olvide|esquece|esqueca|dimentica|ignorate)\b.{0,60}"
            r"\b(?:instrucciones|instrucoes|istruzioni|reglas|regras|regole|prompt)\b",
            r"\b(?:muestra|revela|imprime|mostra|stampa|escribe)\b.{0,40}\bprompt\b",
            # Chinese, Japanese, Korean, Russian, Arabic, as `folded` writes them
            r"(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|提示|规则|規則|命令)",
            r"(?:指示|命令|フロンフト|ルール).{0,10}(?:無視|忘れ)",
            r"игнорир\w{0,9}.{0,40}(?:инструкци|указани|правил)|забудь\w{0,4}.{0,40}(?:инструкци|указани)",
            r"(?:تجاهل|انس).{0,40}(?:التعليمات|الاوامر|القواعد)",
            r"(?:이전|위의|모든).{0,20}(?:지시|명령|규칙).{0,20}무시",
        )
    ),
    re.DOTALL,
)


def orders_the_reader(text: str) -> bool:
    """Whether a text gives orders to whoever reads it. Invisible characters are to be gone from it."""
    return _ORDERS.search(folded(text)) is not None
