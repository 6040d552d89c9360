"""Lines that speak to whoever reads the transcript, to steer a model. They are data, and they prove nothing.

The patterns are few and narrow: they want an order, and what is to be disregarded or told. People who only talk about
prompts do not say that.
"""

import re

from recording_insights.derive.facts import folded

_ORDERS = re.compile(
    "|".join(
        (
            # English
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}"
            r"\b(?:above|previous|prior|earlier|preceding|all|your)\b.{0,20}\b(?:instructions?|rules?|prompts?|messages?|text|lines?|guidelines|said)\b",
            r"\b(?:ignore|disregard|forget)\b.{0,20}\b(?:the above|everything above|all of the above)\b",
            r"\b(?:print|reveal|repeat|show|output|tell|leak|recite|write out)\b.{0,40}"
            r"\b(?:system|hidden|initial|secret) (?:prompt|instructions?|message)\b",
            r"\b(?:print|reveal|repeat|show|output|recite)\b.{0,20}\byour (?:prompt|instructions|rules)\b",
            r"\byou are (?:now|no longer)\b.{0,40}\b(?:assistant|ai|model|dan|mode|bot|minutes|assistant's)\b",
            r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt)\s*:",
            r"\b(?:as|you are) an? (?:ai|language model|large language model)\b",
            r"\b(?:note|message|attention|instructions?) (?:to|for) (?:the )?(?:ai|model|assistant|summari[sz]er)\b",
            r"\b(?:ai|model|assistant|summari[sz]er)\b.{0,10}[,:] "
            r"(?:you )?(?:must|add|write|insert|include|ignore|output)\b",
            # Forms of prompts
            r"</?\s{0,3}(?:system|instructions?|user|assistant|conversation|transcript|lines?|data|prompt)\s{0,3}/?>",
            r"<\|[a-z_]+\|>|\[/?inst\]|^\W*(?:system|assistant|human)\s*:|\b(?:system|assistant)\s{0,3}:\s",
            r"##\s{0,3}(?:system|instructions?|end of)\b",
            r"\bthe lines end here\b|\bend of (?:the )?(?:lines|transcript|conversation|data)\b"
            r".{0,40}\b(?:now|instructions?|write)\b",
            r"[\"'](?:action_items|decisions|short_summary|evidence|follow_ups)[\"']\s*:",
            # German
            r"\b(?:ignorier\w*|vergiss|vergesst|missachte\w*)\b.{0,60}"
            r"\b(?:anweisung\w*|instruktion\w*|regeln|prompts?|obige\w*|bisherige\w*|vorherige\w*)\b",
            r"\b(?:gib|gebt|zeige?|nenne|verrate?|drucke?)\b.{0,40}"
            r"\b(?:system-?prompts?|systemanweisung\w*|deine (?:anweisung|regel)\w*)\b",
            # French
            r"\b(?:ignore[zr]?|oublie[zr]?)\b.{0,60}\b(?:instructions?|consignes?|regles?|precedente?s?|ci-dessus)\b",
            r"\b(?:affiche[zr]?|revele[zr]?|montre[zr]?|imprime[zr]?)\b.{0,40}\b(?:prompt|instructions?|consignes?)\b",
            # Spanish, Portuguese, Italian
            r"\b(?:ignora|ignore|ignorad|ignoren|olvida|olvide|esquece|esqueca|dimentica|ignorate)\b.{0,60}"
            r"\b(?:instrucciones|instrucoes|istruzioni|reglas|regras|regole|anterior(?:es)?|precedenti|prompt)\b",
            r"\b(?:muestra|revela|imprime|mostra|stampa|escribe)\b.{0,40}\b(?:prompt|instrucciones|instrucoes|istruzioni)\b",
            # Chinese, Japanese, Korean, Russian, Arabic
            r"(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|提示|规则|規則|内容|命令)",
            r"(?:指示|命令|プロンプト|ルール|フロンフト).{0,10}(?:無視|忘れ)",
            r"игнорир\w*.{0,40}(?:инструкци\w*|указани\w*|правил\w*|предыдущ\w*)|забудь\w*.{0,40}(?:инструкци\w*|указани\w*)",
            r"(?:تجاهل|انس).{0,40}(?:التعليمات|الاوامر|الأوامر|القواعد|السابقه|السابقة)",
            r"(?:이전|위의|모든).{0,20}(?:지시|명령|규칙).{0,20}무시",
        )
    ),
    re.DOTALL,
)


def orders_the_reader(text: str) -> bool:
    """Whether a text gives orders to whoever reads it. Invisible characters are to be gone from it."""
    return _ORDERS.search(folded(text)) is not None
