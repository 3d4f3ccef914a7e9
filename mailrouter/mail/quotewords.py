"""The words mail programs put above and around what they quote, in the languages they speak. Tables for `quote`."""
# ruff: noqa: RUF001  (the words and signs of other languages are what the tables hold)

import re

from mailrouter.mail.phrases import any_of

# A last line of a telephone or of a program.
DEVICE = any_of(
    r"""
    sent (?:from|via|with|using)|get outlook for|envoyé (?:de|depuis|avec)|von meinem .{1,40} gesendet
    gesendet (?:von|mit)
    enviado (?:desde|do|de|con)|inviato (?:da|con)|verzonden (?:vanaf|met|via)|skickat från|sendt fra|lähetetty
    wysłane z|odesláno z|odoslané z|küldve|trimis de pe|gönderildi|отправлено (?:с|из)|надіслано з
    从我的|發自我的|发自我的
    """,
    r"\s*{}(?:\s+[^\s,.;]{{1,40}}){{1,7}}\s*$",
)
# Below it stands another mail.
DIVIDER = any_of(
    r"""
    original|forwarded|reply|urspr(?:ü|ue)ngliche|weitergeleitete|message (?:d'origine|original|transféré|initial)
    mensaje (?:original|reenviado)|messaggio (?:original|inoltrato)|mensagem (?:original|encaminhada)
    oorspronkelijk|doorgestuurd|opprinnelig|oprindelig|ursprungligt|vidarebefordrat|videresendt|alkuperäinen|välitetty
    wiadomość oryginalna|oryginalna|wiadomość przekazana|původní|přeposlaná|pôvodná|eredeti|továbbított
    mesajul? original|orijinal|iletilen|αρχικό|προωθημένο|исходное|пересылаемое|оригинальное|пересланное|початкове
    переслане|原始邮件|原始郵件|原邮件|原郵件|回复的原邮件|转发邮件|转发的邮件|轉寄的郵件|元のメッセージ|転送メッセージ|원본|전달된
    הודעה מקורית|הודעה שהועברה|الرسالة الأصلية|رسالة معاد
    """,
    r"\s*(?:[-_=*#\u2010-\u2015\u2500]{{2,}}\s*{}.{{0,60}}|begin forwarded message:|anfang der weitergeleiteten"
    r"|début du message|inizio messaggio inoltrato|inicio del mensaje|início da mensagem|_{{20,}}|-{{40,}})\s*$",
)
# Ticket systems put it above what they hand on; in an answer to one, new text stands above it.
REPLY_ABOVE = any_of(
    r"""
    (?:please )?(?:type|reply|write|respond|enter|add)\b.{0,40}\babove (?:this|the) (?:\w{1,10} )?line
    (?:please )?(?:do not|don't) (?:write|type|reply) below (?:this|the) line
    bitte .{0,60}(?:oberhalb|über) dieser (?:zeile|linie)
    (?:veuillez )?(?:répond|écri|tape).{0,40}au-dessus de cette ligne|(?:responda|escriba).{0,40}encima de esta línea
    (?:scriv|rispond).{0,40}sopra (?:a )?questa (?:riga|linea)|(?:responda|escreva).{0,40}acima desta linha
    typ .{0,40}boven deze (?:regel|lijn)|この(?:行|線)(?:より|の)上|请在此行(?:之)?上
    """,
    r"\W{{0,40}}{}.{{0,60}}$",
)
# Zoho, Lotus Notes: who wrote and when, in one line of dashes.
DASHED = re.compile(
    r"\s*-{2,}\s*(?:on|am|le|el|il|em|op|den|в|在)\s.{6,300}\s-{2,}\s*$"
    r"|\S.{0,80}---\s?\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\s",
    re.IGNORECASE,
)
# "On <date>, <name> wrote:": a verb of writing; who uses it looks for a date and a colon too.
WROTE = any_of(
    r"""
    wrote|writes|schrieb|schreibt|geschrieben|a écrit|escribió|escreveu|ha scritto|scrisse|schreef|geschreven|skrev
    kirjoitti|napisał|napisała|napisał\(a\)|napsal|napsala|napísala?|napisao|napisala|írta|yazdı|kirjutas|rakstīja|rašė
    a scris|έγραψε|написал|написала|написа|пишет|пише|đã viết|menulis|sent
    """,
    r"\b{}\b|写道|寫道|のメール|さんは書きました|님이 작성|작성:|כתב|كتب|كتابة|เขียนว่า|:در تاریخ",
)
OPENING = re.compile(
    r"\W{0,3}(?:on|at|am|le|el|il|in data|em|no dia|op|den|på|w dniu|dnia|dne|pe|vào|в|на|στις|\d|在|于|於|в|pada"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|lør|søn|man|tir|ons|tor|fre)"
    r"[a-zé.]{0,10},?)"
    r"[\s,\d年月]",
    re.IGNORECASE,
)
# The first line of headers copied above a quoted mail, and the lines after it.
FROM_LABEL = any_of(
    r"""
    from|von|de|da|van|fra|från|od|expéditeur|remitente|mittente|lähettäjä|avsändare|avsender|afsender|afzender|nadawca
    odesílatel|pošiljatelj|feladó|kimden|gönderen|de la|από|от|от кого|від
    发件人|发信人|寄件者|寄件人|差出人|送信者|보낸 ?사람|מאת|من
    """,
    r"[\s*>]{{0,3}}{}\s?\*?\s?[:：]",
)
OTHER_LABEL = any_of(
    r"""
    sent|date|to|cc|subject|reply-to|gesendet|datum|an|betreff|envoyé|à|objet|enviado|enviada em
    fecha|para|asunto|assunto
    data|inviato|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|dato|til|emne|lähetetty|vastaanottaja|aihe
    wysłano|do|temat|odesláno|komu|předmět|predmet|elküldve|címzett|tárgy|tarih|kime|konu|gönderildi|către|subiect|trimis
    ημερομηνία|προς|θέμα|στάλθηκε|дата|кому|тема|отправлено|надіслано
    时间|发送时间|发送日期|收件人|抄送|主题|主旨|寄件日期|收件者
    送信日時|日 ?時|宛 ?先|件 ?名|보낸 ?날짜|받는 ?사람|제목|נשלח|אל|נושא|תאריך|إلى|الموضوع|التاريخ|تم الإرسال
    """,
    r"[\s*>]{{0,3}}{}\s?\*?\s?[:：]",
)
