"""The words by which mail systems, absence notes and ticket systems are known, in the languages they speak.

Tables only, for `automated` and `bounces`; every pattern is linear in what it is held against. A phrase stands here
because a mail system or a mail program sends it by itself in that form, not because one mail was seen with it.
"""
# ruff: noqa: RUF001  (the words and signs of other languages are what the tables hold)

import re


def any_of(lines: str, around: str = "{}") -> re.Pattern[str]:
    """One pattern of the alternatives in these lines; `around`: what stands before and behind."""
    phrases = "|".join(line.strip() for line in lines.strip().splitlines())
    return re.compile(around.format(f"(?:{phrases})"), re.IGNORECASE)


# ---- delivery reports ----------------------------------------------------------------------------------------------

# Subjects, all to be matched at their very beginning: what follows "Re:" or "Fwd:" is a person's doing.
SUBJECT_OF_BOUNCE = any_of(
    r"""
    undeliver(?:able|ed)|returned (?:e-?)?mail|(?:e-?)?mail returned|returned to sender
    (?:e?-?mail |message |your )?(?:message )?delivery (?:has |status |system )?(?:fail|problem|status)
    (?:e?-?mail |message |your )?(?:message )?delivery (?:has |status |system )?(?:report|notif|delay|warning|error)
    (?:e?-?mail |message |your )?(?:message )?delivery (?:issue|incomplete|unsuccessful)
    (?:e?-?mail )?failure(?: notice| delivery|:)|(?:non|un)[- ]?deliver(?:y|able)
    failed (?:e?-?mail|message)|fail(?:ed)? to deliver
    (?:e-?)?mail (?:system )?(?:error|fail|not delivered|could not be)
    (?:permanent|temporary) delivery failure|error mail report|processing error
    delayed (?:e?-?mail|mess)
    (?:your |the )?(?:e-?mail|message)\b.{0,80}(?:(?:not|n't) (?:be )?delivered|undeliverable|delayed|rejected|blocked)
    user unknown|unknown user|automatically rejected mail|bounced? (?:e?-?mail|message)|\[?bounce\]?\s*$
    warning: .{0,200}(?:delayed|not (?:yet )?(?:be(?:en)? )?(?:sen[dt]|delivered)|user unknown)
    message status -
    unzustellbar|nicht zugestellt|zustellung (?:verzögert|fehl|nicht)|zustellungsfehler|zustellbericht
    übermittlungs?fehler
    fehlerhafte zustellung
    non[- ]remis|non[- ]recens|échec (?:de|d'envoi|lors)|message non (?:remis|délivré|distribué)
    remise (?:différée|retardée)|notification d'état
    no se (?:puede|pudo|ha podido) entregar|no entregado|mensaje no entregad|error (?:de|en la) entrega
    entrega retrasada|correo devuelto|notificación de estado
    non recapitabile|mancat[ao] (?:consegna|recapito)|impossibile (?:recapitare|consegnare)
    recapito (?:ritardato|non)
    não (?:entregue|é possível entregar|foi possível entregar)|no entregado|falha na entrega
    entrega (?:adiada|atrasada)
    onbestelbaar|niet bezorgd|bezorging (?:vertraagd|mislukt)|kan inte levereras|olevererbart|går inte att leverera
    kan ikke leveres|levering mislykkedes|ei voi toimittaa|toimitus epäonnistui
    niedostarczon|nie można dostarczyć|nelze doručit|nedoručiteln|nedoručen|kézbesíthetetlen|nelivrat
    imposibil de livrat
    teslim edilemedi|iletilemedi|αδύνατη η παράδοση|δεν παραδόθηκε
    не удается доставить|недоставлен|не доставлено|ваше сообщение не доставлено|не вдалося доставити|недоставена
    配信不能|配信エラー|配信できません|配達不能|送信エラー|配信の遅延|無法傳遞|無法送達|未傳遞|无法送达|无法投递|未送达|未传递|投递失败|退信|系统退信|系統退信|邮件退回|郵件退回
    배달되지 않음|배달 실패|반송|메일 전송 실패|không thể gửi|tidak terkirim|לא ניתן למסור|تعذر التسليم
    """,
    r"[\s*\[\]!\"\':-]{{0,6}}(?:(?:postmaster|mail(?:er)? ?server|mail system|automatic|important)\]?[\s:]+)?{}"
    r"|.*(?:\(delivery failed\)|退信|配信不能)\s*$",
)
SUBJECT_OF_ANSWER = re.compile(
    r"\s*(?:\[[^\]]{0,60}\]\s*)?(?:re|fwd?|wg|aw|tr|rv|rif|enc|vs|sv|i|odp|pd|doorst|ynt|ilt|res|antw|回复|回覆|答复|转发|轉寄|転送|返信)"
    r"\s?(?:\[\d{1,3}\]|\(\d{1,3}\))?\s?[:：]",
    re.IGNORECASE,
)
DELAY_SUBJECT = any_of(
    r"""
    \bdelay(?:ed)?\b|\bwarning\b.*\b(?:delivered|could not send)|delivery warning
    \bverzögert|différée
    retras(?:ada|o)|ritardat|vertraagd
    försen|opóźnion|задержан|遅延|延迟|延遲|지연
    """,
)

SAYS_FAILED = any_of(
    r"""
    fail|undeliver
    not (?:yet )?(?:be(?:en)? |have been )?(?:deliver|reach|sent|recogni[sz]ed|found|listed|exist|exactly match)
    unable to (?:deliver|send)|error deliver|error.{0,40}(?:while|during|when|trying|occurred)
    delivery problems?|invalid address|blocked
    unknown|no such|no mailbox|does(?:n't| not) (?:exist|have)|did not (?:receive|reach)|reject|refused|unavailable
    permanent|fatal|wasn't able to|over (?:disk )?quota|quota (?:exceeded|violation)|given up|returned|not accepting
    did NOT|mailbox (?:is )?full|may not exist|recipients? (?:was|were) affected|considered (?:spam|unsolicited)
    konnten? nicht|nicht (?:zugestellt|zustellbar|gefunden|erreich)|unzustellbar|fehler bei|fehlgeschlagen|unbekannt
    non remis|n'a pas (?:pu|été)|non recens|échec|introuvable|n'existe pas|impossible (?:de|à)|inconnue?
    no (?:se )?(?:pudo|puede|ha podido|se encontró)|error (?:de|en|al)|no existe|desconocid
    non (?:è stato|riuscit|recapit|trovat|esiste|può)|mancat[ao]|impossibile|sconosciut
    falha|não (?:foi|pôde|pode|existe|encontrad)|desconhecid
    mislukt|niet (?:bezorg|bestel|gevonden|worden)|onbestelbaar|onbekend
    gick inte att|kunde inte|kunne ikke|kan ikke|misslyckad|mislykke|okänd|ukendt|ukjent|ei voitu|epäonnistui
    tuntematon
    nie (?:można|udało|istnieje|został)|niedostarcz|nelze|nepodařilo|neexistuje|nem (?:sikerült|létez|található)
    nu (?:a putut|s-a putut|există)|edilemedi|iletilemedi|bulunamadı|απέτυχε|δεν (?:παραδόθηκε|βρέθηκε)
    не (?:доставлен|может быть|удалось|существует|найден)|невозможно|сбой|ошибка|не вдалося|неизвест
    失敗|失败|无法|無法|不存在|退回|退信|できません|見つかりません|不明|エラー|못했습니다|실패|없습니다|오류
    """,
)
SAYS_DELAYED = any_of(
    r"""
    not yet been delivered|has been delayed|is delayed|will (?:continue to|keep) (?:try|attempt)
    still being retried|delivery attempts will continue|will (?:be retried|continue to be attempted)|just a warning
    warning message only|could not be delivered for|has(?:n't| not) been delivered yet
    temporar(?:y|ily) deferred|delivery .{0,30}delayed|will be tried again|transient non-fatal
    do not need to resend|warning only|keep trying|retry for|will (?:re)?try (?:again )?(?:for|until)
    wird weiter(?:hin)? versucht|noch nicht zugestellt|verzögerte zustellung|weiterhin versucht
    pas encore (?:été )?remis|a été (?:retardée?|différée?)|sera encore tentée
    aún no se ha entregado|se ha retrasado|seguir[áe] intentando
    non è (?:stato )?ancora (?:stato )?(?:recapitat|consegnat)|è in ritardo|ainda não foi entregue|está atrasad
    nog niet (?:bezorgd|afgeleverd)|ännu inte levererats|jeszcze nie (?:została|został|dostarczon)
    ещ[её] не (?:было |была )?доставлен|будут продолж|まだ配信され|遅延して|尚未(?:送达|投递|傳遞|传递)|아직 배달
    """,
)

# Where the prose ends and the returned mail, or a transcript, begins.
RETURNED = re.compile(
    r"[\s>*=_-]*(?:(?:the |your |begin(?:ning)? of )?(?:original|returned|unsent|undelivered|old) (?:message|e?-?mail)"
    r"|(?:this is |a |here is |below is )?a? ?copy of|(?:message|returned message) (?:header|headers|body|text)"
    r"|below (?:this|the next) line"
    r"|(?:session )?transcript|technical details|mensaje original|message original|ursprüngliche|included is a copy"
    r"|a summary of|headers of|original(?:nachricht|kopf)|messaggio originale|mensagem original"
    r"|元のメッセージ|原始邮件|原郵件"
    r"|informationen zur fehlerdiagnose|diagnos(?:e|tic) information|informations? de diagnostic"
    r"|información de diagnóstico"
    r"|диагностическ|исходное сообщение|診断情報|诊断信息)\b"
    r"|>?(?:return-path|received|message-id|x-[a-z-]{1,40}): ",
    re.IGNORECASE,
)

# A receipt for a mail its reader threw away; a filter that "deletes" says otherwise (RFC 5429 section 2.1.2).
SAYS_UNREAD = any_of(
    r"""
    not read|without being read|unread|ungelesen|nicht gelesen|ohne gelesen|ohne zu lesen
    non lu|sans (?:avoir été|être) lu
    no leído|sin (?:leer|haber sido leíd)|não lid|sem ser lid|non letto|senza essere letto|niet gelezen|ongelezen|oläst
    ulest|ulæst|lukematta|nie przeczytan|nepřečten|не прочитан|непрочитан|未読|開封されずに|未读|未讀|읽지 않
    """
)

# ---- answers nobody wrote ------------------------------------------------------------------------------------------

# An absence note of a mail program, in the words it puts before our subject.
SUBJECT_OF_AUTO_REPLY = any_of(
    r"""
    auto(?:mat|māt|maat|mát|màt)\w{0,8}[\s:-]{0,2}(?:reply|response|responder|antwort|svar|antwoord|respuesta|risposta)
    auto(?:mat|māt|maat|mát|màt)\w{0,8}[\s:-]{0,2}(?:resposta|réponse|odpowiedź|odpověď|odpoveď|válasz|vastaus)
    auto(?:mat|māt|maat|mát|màt)\w{0,8}[\s:-]{0,2}(?:odgovor|yanıt|atsakymas|atbilde|vastus|răspuns)
    (?:réponse|respuesta|risposta|resposta|răspuns|balasan) (?:autom\w{1,8}|otomatis)
    samodejni odgovor|yahoo! auto response
    auto(?:maat)?[- ]?(?:reply|response|responder|antwort|svar|vastus|reponse|risposta)
    auto(?:matically)?(?: re)?(?=\s?[:：])
    自动回复|自动应答|自動返信|自動応答
    """,
    # what follows tells it from a subject about such a feature
    r"\s*[\W_]{{0,3}}{}(?=\s*(?:$|[:：(\[–—.!,|]|- |(?:re|from|to|von|de|da)\b))"
    r"|.*(?:\((?:auto(?:matic)?[\s-]?reply|out of (?:the )?office)\)\s*$|\[(?:ooo|auto[- ]?reply|out of office)\])",
)
SUBJECT_OF_ABSENCE = any_of(
    r"""
    (?:i am |i'm |am |currently |i will be |we are )?(?:out of|away from) (?:the |my )?(?:office|desk|mail)\b
    out[- ]of[- ]office\b|ooo\s?[:\-]|o\.o\.o\.
    (?:i am |i'm |am )?on (?:vacation|holiday|(?:parental |sick |annual )?leave)\b
    (?:message d'|avis d'|notification d')absence\b|absen(?:ce|te?)\b\s?(?::|du bureau|temporaire)|je suis absent
    (?:abwesend\b|abwesenheit\s?[:\-]|abwesenheits(?:notiz|meldung|assistent|benachrichtigung)|nicht im (?:büro|haus)\b)
    im urlaub
    fuera de (?:la )?oficina\b|(?:estoy )?ausente\s?[:\-]|ausencia(?: temporal)?\s?:|estoy (?:ausente|de vacaciones)
    (?:sono )?assente\s?[:\-]|assente dall|fuori (?:sede|ufficio)\b|assenza(?: dall'ufficio)?\s?:
    ausência(?: temporária)?\s?:|ausência temporária|fora do escritório|estou (?:ausente|de férias)
    afwezig(?:heid)?\s?:|afwezigheids(?:bericht|melding)|niet aanwezig|buiten kantoor|frånvaro(?:meddelande)?\s?:
    ej på kontoret
    fravær(?:smelding|sbesked|sassistent)?\s?:|fraværs|ikke til stede|ikke på kontoret|poissa(?:olo\w{0,12})?\s?:
    poissa toimistosta
    poza biurem|nieobecność\s?:|mimo kancelář|nepřítomnost\s?:|házon kívül|nu sunt la birou|izvan ureda|ofis dışı
    vacation (?:reply|response|responder|notice|message)\b|holiday notice|absence (?:notice|notification)\b
    автоответ|автоматическ(?:ий|ое) (?:ответ|уведомлен|сообщен)|автоматична відповідь|автоматичен отговор
    (?:я )?отсутствую|вне офиса|нет на (?:рабочем|работе)|(?:я )?в отпуске
    αυτόματη απάντηση|εκτός γραφείου|תשובה אוטומטית|מענה אוטומטי|رد تلقائي|الرد التلقائي|خارج المكتب
    自动回复|自動回覆|自动答复|自動回復|休假|不在办公室|自動返信|自動応答|不在(?:通知|連絡|のお知らせ|です)|離席中|休暇
    자동 ?(?:회신|응답|답장)|부재 ?중|trả lời tự động|ตอบกลับอัตโนมัติ|ตอบรับอัตโนมัติ|otomatik yanıt
    """,
    r"\s*[\W_]{{0,3}}{}",
)
# Default subjects of ticket systems' receipts, of lists' answers to commands and moderated mail, of senders' tests.
SUBJECT_OF_RECEIPT = any_of(
    r"""
    \[request received\]|ticket received\b|request received\b|\[received\]|auto-?ack
    acknowledge?ment (?:of|for) (?:receipt|your (?:e-?mail|message|request|ticket|inquiry|enquiry))\b
    (?:your |new )?(?:support )?(?:ticket|case|request|incident|issue)\b\W{0,3}(?:has been|was|is) \w{4,8}ed\b
    (?:your |new )?(?:support )?(?:ticket|case|request|incident|issue)\b\W{0,3}(?:creat|open|receiv|logg)ed\b
    (?:your |new )?(?:ticket|case|request|issue)\W{0,3}\w{0,8}\d[\w.-]{0,20}\W{1,3}(?:has been|was|is) \w{4,8}ed\b
    (?:your |new )?(?:ticket|case|request|issue)\W{0,3}\w{0,8}\d[\w.-]{0,20}\W{1,3}(?:creat|open|receiv|logg)ed\b
    we(?:'ve| have)? received your
    thank you for contacting\b
    your (?:message|post|posting) to .{1,200} awaits moderator approval
    request to mailing list .{1,200} rejected|the results? of your (?:e-?mail )?commands?
    confirm [0-9a-f]{12,}|your (?:confirmation|subscription) (?:is|request)
    (?:please )?confirm(?:ation)? (?:required|your (?:e-?mail|message|address)|that you sent)
    moderation (?:request|notice)|(?:re: .{0,200})?\(action required\)
    (?:action required|verification required|please verify)\b.{0,80}(?:deliver|e-?mail)
    message (?:to .{1,80} )?(?:held|waiting) for (?:approval|moderation)|sender (?:address )?verification
    antispam uol
    (?:re: )?.{1,200}\(action required\)\s*$|autoreply:
    spam ?arrest|challenge[- ]response|eingangsbestätigung|empfangsbestätigung|accusé de réception|acuse de recibo
    conferma di ricezione|confirmação de recebimento|ontvangstbevestiging
    """,
    r"\s*(?:(?:re|aw)\s?:\s*)?(?:\[[^\]]{{1,60}}\]\s*)?{}",
)
SUBJECT_OF_WARNING = any_of(
    r"""
    (?:warning: ?)?(?:e-?mail )?virus(?:es)? (?:found|detected|alert|warning|infected|notification|in )
    virus \(.{1,80}\) in mail|banned (?:contents?|file|filename)|scanmail message
    (?:norton|symantec).{0,40}detected
    \[?mailserver notification|content (?:filter|violation|alert)|attachment (?:blocked|removed|filtered)
    infected (?:file|mess)
    mail quarantin|message quarantined|quarantine (?:notification|summary|report|digest)
    spam (?:notification|digest|report)
    virenwarnung|virus (?:gefunden|entdeckt)|virus trouvé|aviso de virus
    """,
    r"\s*[*\[!]{{0,6}}\s*{}",
)

# What a ticket system's receipt says, in its first lines; a person who answers through it says something else.
SAYS_RECEIVED = any_of(
    r"""
    (?:has|have) been (?:received|created|opened|registered|logged|assigned|submitted)
    (?:is|are) being (?:reviewed|processed)
    we(?:'ve| have)? (?:just )?(?:received|got) your|confirming that we (?:got|received)
    will (?:get back|respond|reply) to you
    thank you for (?:contacting|reaching out|your (?:message|e-?mail|inquiry|enquiry|request|submission))
    this is an? auto(?:matic|mated|-?generated)|automatic(?:ally)? (?:generated|reply|response)|do not reply to this
    has been (?:closed|resolved|updated|merged)|will be closed|rate (?:our|the|your) (?:support|service)
    ihre (?:anfrage|nachricht|e-?mail|meldung)\b.{0,60}(?:eingegangen|erhalten)
    automatisch (?:erzeugt|erstellt|generiert)
    (?:bien |a été )re(?:ç|c)ue?\b|message automatique|hemos recibido|ha sido recibid|mensaje automático
    recebemos (?:a )?sua
    abbiamo ricevuto|è stat[ao] ricevut|we hebben uw|ont(?:vangen|vangst)
    受け付けました|受付け|自動送信|自动发送|已收到您
    """,
)
