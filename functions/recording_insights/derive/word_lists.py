"""Words that the checks know: of days, months and small numbers, small words, and what stands beside names.

English, German, French, Spanish, Italian, Portuguese and Dutch, without accents.
"""

from collections.abc import Mapping


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_DAYS = (
    "monday montag lundi lunes lunedi maandag",
    "tuesday dienstag mardi martes martedi dinsdag",
    "wednesday mittwoch mercredi miercoles mercoledi woensdag",
    "thursday donnerstag jeudi jueves giovedi donderdag",
    "friday freitag vendredi viernes venerdi vrijdag",
    "saturday samstag sonnabend samedi sabado sabato zaterdag",
    "sunday sonntag dimanche domingo domenica zondag",
    "january januar janner janvier enero gennaio janeiro januari",
    "february februar fevrier febrero febbraio fevereiro februari",
    "march marz mars marzo maart",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august aout agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember decembre diciembre dicembre dezembro",
    "today heute aujourd hoy oggi hoje vandaag",
    "tomorrow morgen demain manana domani amanha",
    "yesterday gestern hier ayer ieri ontem gisteren",
)
CALENDAR: Mapping[str, int] = {word: number for number, words in enumerate(_DAYS) for word in words.split()}
"""What a word names: the same number for the same day or month in every language."""
AMBIGUOUS = frozenset({"may", "march", "mars", "mai", "mei", "hier", "morgen", "august"})
"""Words that mean something else as well. With a capital, they have to be proved as a name has to be."""

_ONES = (
    "zero null cero nul",
    "one ein eins eine un une uno una um uma een",
    "two zwei deux dos due dois duas twee",
    "three drei trois tres tre drie",
    "four vier quatre cuatro quattro quatro",
    "five funf cinq cinco cinque vijf",
    "six sechs seis sei zes",
    "seven sieben sept siete sette sete zeven",
    "eight acht huit ocho otto oito",
    "nine neun neuf nueve nove negen",
    "ten zehn dix diez dieci dez tien",
    "eleven elf onze once undici",
    "twelve zwolf douze doce dodici doze twaalf",
)
_TEENS = (
    "thirteen dreizehn treize trece tredici treze dertien",
    "fourteen vierzehn quatorze catorce quattordici veertien",
    "fifteen funfzehn quinze quince quindici vijftien",
    "sixteen sechzehn seize dieciseis sedici dezesseis zestien",
    "seventeen siebzehn diecisiete diciassette dezessete zeventien",
    "eighteen achtzehn dieciocho diciotto dezoito achttien",
    "nineteen neunzehn diecinueve diciannove dezenove negentien",
)
_TENS = (
    "twenty zwanzig vingt veinte venti vinte twintig",
    "thirty dreissig trente treinta trenta trinta dertig",
    "forty vierzig quarante cuarenta quaranta quarenta veertig",
    "fifty funfzig cinquante cincuenta cinquanta cinquenta vijftig",
    "sixty sechzig soixante sesenta sessanta sessenta zestig",
    "seventy siebzig setenta settanta zeventig",
    "eighty achtzig ochenta ottanta oitenta tachtig",
    "ninety neunzig noventa novanta negentig",
    "hundred hundert cent cien cento cem honderd",
)
NUMBERS: Mapping[str, int] = {
    **{word: number for number, words in enumerate((*_ONES, *_TEENS)) for word in words.split()},
    **{word: 20 + 10 * number for number, words in enumerate(_TENS) for word in words.split()},
}
"""The values of numbers that were said as words."""
STOP_WORDS: Mapping[str, frozenset[str]] = {
    "en": _words(
        "the and of to that is it you for with this are be have will not we they was but what by on at from he she",
        "i my your can do",
    ),
    "de": _words(
        "der die das und ist nicht ich wir sie ein eine zu mit den dem auf fur es von auch wird dass im noch bei",
        "haben hat werden sich",
    ),
    "fr": _words(
        "le la les et est pas je nous vous un une des du que qui dans pour avec ce sur il elle ne au plus sont par",
        "cette ont",
    ),
    "es": _words(
        "el la los las y es no que de un una en por para con se del lo al como pero su esta este nosotros yo muy mas",
        "hay",
    ),
    "it": _words(
        "il lo la gli e di che non un una per con del della sono si ma come questo questa anche noi alla nel ho ha",
    ),
    "pt": _words(
        "o os a as e de que nao um uma em por para com do da se na no mas como mais este esta nos voce ao foi",
    ),
    "nl": _words(
        "de het een en van is niet ik wij je dat die op te met voor zijn er maar ook aan wordt hebben naar bij",
    ),
}
"""The words without which hardly a sentence of a language is."""
SUBJECTS = _words(
    "i we you he she it they this that there these those who what which everyone everybody nobody someone somebody all "
    "both each one another other speaker speakers participant participants team customer client caller agent company "
    "ich wir ihr er sie es man das dies diese alle beide niemand jemand jeder kunde kundin sprecher team firma "
    "je nous vous il elle ils elles on ce cela tous client equipe personne "
    "yo nosotros ella ellos el la esto eso todos nadie alguien cliente equipo"
)
"""Words that begin a sentence before a verb of people, and are no names."""
VERBS_OF_PEOPLE = _words(
    "will would should shall must can could may might has had is was wants needs agrees agreed asks asked says said "
    "promises promised pays paid sends sent calls called "
    "wird soll sollte muss hat hatte ist war kann will mochte sagt sagte fragt fragte zahlt schickt ruft "
    "va doit a est etait peut veut dit demande paie envoie "
    "va debe ha es era esta puede quiere dice pide paga envia"
)
"""What stands after the one who does it."""
BEFORE_A_NOUN = _words(
    "der die das den dem des ein eine einen einem einer eines kein keine keinen keinem keiner mein meine meinen dein "
    "sein seine seinen seiner ihr ihre ihren ihrer unser unsere unseren euer eure dieser diese dieses diesen diesem "
    "jeder jede jedes jeden jedem alle aller allen viele einige mehrere mehr weniger welche welcher welches "
    "im am zum zur vom beim ins ans ubers in an auf aus bei mit nach von zu vor uber unter fur um ohne gegen durch als "
    "per pro zwischen neben wegen trotz wahrend seit bis ab zwei drei vier funf sechs beide beiden"
)
"""German words that a noun stands after, and a name hardly ever."""
BEFORE_A_NAME = _words("herr herrn frau dr prof mr mrs ms miss monsieur madame senor senora firma")
"""What a name stands after."""
AFTER_A_NAME = _words("gmbh ag kg inc ltd llc corp sarl srl")
"""What a name stands before."""
HEADING_WORDS = _words(
    "and or of the for with about on in to from next steps step follow up action items item open question questions",
    "key points point call meeting project team customer client welcome greeting greetings opening closing close wrap",
    "overview discussion review update updates plan plans status summary agenda topic topics issue issues problem",
    "problems cost costs price prices budget schedule timeline deadline terms contract order offer report",
    "result results new other general final first second last main technical support service sales",
    "product feedback background details detail options option decision decisions proposal request requests response",
    "concerns risk risks goal goals",
)
"""What headings say that nobody has to have said."""
