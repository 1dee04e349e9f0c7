"""The words of our mails, in the language of the office: mails are read outside the page, so they carry their own.

One table per language with the same ids; `phrase` never fails: an id without words gives the English, then itself.
"""

from collections.abc import Mapping
from typing import Final

PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "subject": "SMS from {sender} to {line}",
        "subject-code": "{code} in an SMS from {sender} to {line}",
        "sender": "From", "line": "To", "sent": "Sent", "received": "Received",
        "no-text": "(This message has no text.)",
        "unknown-sender": "unknown sender",
        "flash": "This message was sent to be shown at once and not to be kept (flash).",
        "mms-waiting": "This message announces a picture message (MMS). The box cannot fetch it.",
        "voicemail-waiting": "The operator says that its own voicemail has a message for this number.",
        "incomplete": "This message is not complete: {have} of {total} parts have come, missing: {missing}. "
                      "If the rest comes, another mail brings the whole.",
        "completed": "This is the whole message. An earlier mail had only parts of it.",
        "undecodable": "The box cannot read this message. It is kept, and this is how it came:",
        "footer": "{office}. An answer to this mail does not reach the sender of the SMS.",
        "cut": "[shortened: the whole message is on the page of the box]",
        "notice": "{office}: {sentence}",
        "notice-foot": "This notice comes from the telephone exchange of {office}, {at}.",
        "test": "Test mail from {office}",
        "test-body": "The telephone exchange of {office} can send mail. Nothing else needs to be done.",
        "date": "{day} {month} {year} {time}",
        "footer-answer": "{office}. Answer this mail, and your answer goes to the sender as an SMS.",
        "heartbeat": "Heartbeat of {line}: {office}",
        "heartbeat-body": "The line {line} has texted itself, and this mail proves that messages arrive. "
                          "Nothing needs to be done.",
        "answer-lost": "Your answer was not sent as an SMS to {number}. {why}",
    },
    "pl": {
        "subject": "SMS od {sender} na {line}",
        "subject-code": "{code} w SMS-ie od {sender} na {line}",
        "sender": "Od", "line": "Do", "sent": "Wysłano", "received": "Odebrano",
        "no-text": "(Ta wiadomość nie ma treści.)",
        "unknown-sender": "nieznany nadawca",
        "flash": "Wiadomość błyskawiczna (flash): nadawca chciał, by ją tylko wyświetlić.",
        "mms-waiting": "To zapowiedź wiadomości obrazkowej (MMS). Centralka nie może jej pobrać.",
        "voicemail-waiting": "Operator informuje, że w jego poczcie głosowej czeka nagranie dla tego numeru.",
        "incomplete": "Ta wiadomość jest niepełna: dotarło części: {have} z {total}, brakuje: {missing}. "
                      "Gdy reszta dotrze, całość przyjdzie w kolejnym mailu.",
        "completed": "To cała wiadomość. Wcześniejszy mail zawierał tylko jej część.",
        "undecodable": "Centralka nie potrafi odczytać tej wiadomości. Została zachowana; oto ona w surowej postaci:",
        "footer": "{office}. Odpowiedź na ten mail nie trafi do nadawcy SMS-a.",
        "cut": "[skrócono: cała wiadomość jest na stronie centralki]",
        "notice": "{office}: {sentence}",
        "notice-foot": "To powiadomienie wysłała centralka telefoniczna: {office}, {at}.",
        "test": "Próbny mail: {office}",
        "test-body": "Centralka telefoniczna ({office}) może wysyłać pocztę. Nic więcej nie trzeba robić.",
        "date": "{day}.{month}.{year} {time}",
        "footer-answer": "{office}. Odpowiedz na ten mail, a odpowiedź trafi do nadawcy jako SMS.",
        "heartbeat": "Sygnał życia linii {line}: {office}",
        "heartbeat-body": "Linia {line} wysłała SMS do siebie; ten mail dowodzi, że wiadomości docierają. "
                          "Nic nie trzeba robić.",
        "answer-lost": "Twoja odpowiedź nie została wysłana jako SMS na numer {number}. {why}",
    },
    "uk": {
        "subject": "SMS від {sender} на {line}",
        "subject-code": "{code} в SMS від {sender} на {line}",
        "sender": "Від", "line": "Кому", "sent": "Надіслано", "received": "Отримано",
        "no-text": "(Це повідомлення без тексту.)",
        "unknown-sender": "невідомий відправник",
        "flash": "Миттєве повідомлення (flash): відправник хотів, щоб його лише показали.",
        "mms-waiting": "Це сповіщення про мультимедійне повідомлення (MMS). Станція не може його завантажити.",
        "voicemail-waiting": "Оператор повідомляє, що в його голосовій пошті є запис для цього номера.",
        "incomplete": "Це повідомлення неповне: надійшло частин: {have} з {total}, бракує: {missing}. "
                      "Коли надійде решта, повний текст буде в наступному листі.",
        "completed": "Це повне повідомлення. Попередній лист містив лише його частину.",
        "undecodable": "Станція не може прочитати це повідомлення. Його збережено; ось воно так, як надійшло:",
        "footer": "{office}. Відповідь на цей лист не дійде до відправника SMS.",
        "cut": "[скорочено: повний текст є на сторінці станції]",
        "notice": "{office}: {sentence}",
        "notice-foot": "Це сповіщення надіслала телефонна станція: {office}, {at}.",
        "test": "Пробний лист: {office}",
        "test-body": "Телефонна станція ({office}) може надсилати пошту. Більше нічого робити не потрібно.",
        "date": "{day}.{month}.{year} {time}",
        "footer-answer": "{office}. Дайте відповідь на цей лист, і відправник отримає її як SMS.",
        "heartbeat": "Сигнал життя лінії {line}: {office}",
        "heartbeat-body": "Лінія {line} надіслала SMS сама собі; цей лист доводить, що повідомлення доходять. "
                          "Робити нічого не треба.",
        "answer-lost": "Вашу відповідь не надіслано як SMS на номер {number}. {why}",
    },
    "es": {
        "subject": "SMS de {sender} a {line}",
        "subject-code": "{code} en un SMS de {sender} a {line}",
        "sender": "De", "line": "Para", "sent": "Enviado", "received": "Recibido",
        "no-text": "(Este mensaje no tiene texto.)",
        "unknown-sender": "remitente desconocido",
        "flash": "Mensaje instantáneo (flash): el remitente quería que solo se mostrara en pantalla.",
        "mms-waiting": "Este mensaje anuncia un mensaje multimedia (MMS). La centralita no puede descargarlo.",
        "voicemail-waiting": "El operador avisa de que su buzón de voz tiene un mensaje para este número.",
        "incomplete": "Este mensaje está incompleto: han llegado {have} de {total} partes; faltan: {missing}. "
                      "Si llega el resto, otro correo traerá el mensaje entero.",
        "completed": "Este es el mensaje entero. Un correo anterior solo traía una parte.",
        "undecodable": "La centralita no puede leer este mensaje. Se ha guardado; así es como llegó:",
        "footer": "{office}. Una respuesta a este correo no llega al remitente del SMS.",
        "cut": "[abreviado: el mensaje entero está en la página de la centralita]",
        "notice": "{office}: {sentence}",
        "notice-foot": "Este aviso lo envía la centralita telefónica de {office}, {at}.",
        "test": "Correo de prueba de {office}",
        "test-body": "La centralita telefónica de {office} puede enviar correo. No hay que hacer nada más.",
        "date": "{day}/{month}/{year} {time}",
        "footer-answer": "{office}. Responda a este correo y su respuesta llegará al remitente como SMS.",
        "heartbeat": "Señal de vida de {line}: {office}",
        "heartbeat-body": "La línea {line} se ha enviado un SMS; este correo prueba que los mensajes llegan. "
                          "No hay que hacer nada.",
        "answer-lost": "Su respuesta no se ha enviado como SMS al {number}. {why}",
    },
    "ro": {
        "subject": "SMS de la {sender} către {line}",
        "subject-code": "{code} într-un SMS de la {sender} către {line}",
        "sender": "De la", "line": "Către", "sent": "Trimis", "received": "Primit",
        "no-text": "(Acest mesaj nu are text.)",
        "unknown-sender": "expeditor necunoscut",
        "flash": "Mesaj instantaneu (flash): expeditorul a vrut doar să fie afișat, nu păstrat.",
        "mms-waiting": "Acest mesaj anunță un mesaj multimedia (MMS). Centrala nu îl poate prelua.",
        "voicemail-waiting": "Operatorul anunță că în căsuța sa vocală există un mesaj pentru acest număr.",
        "incomplete": "Acest mesaj nu este complet: au sosit {have} din {total} părți; lipsesc: {missing}. "
                      "Dacă sosește restul, un alt e-mail va aduce mesajul întreg.",
        "completed": "Acesta este mesajul întreg. Un e-mail anterior conținea doar o parte din el.",
        "undecodable": "Centrala nu poate citi acest mesaj. A fost păstrat; iată-l așa cum a sosit:",
        "footer": "{office}. Un răspuns la acest e-mail nu ajunge la expeditorul SMS-ului.",
        "cut": "[prescurtat: mesajul întreg este pe pagina centralei]",
        "notice": "{office}: {sentence}",
        "notice-foot": "Această înștiințare vine de la centrala telefonică {office}, {at}.",
        "test": "E-mail de probă de la {office}",
        "test-body": "Centrala telefonică {office} poate trimite e-mailuri. Nu mai este nimic de făcut.",
        "date": "{day}.{month}.{year} {time}",
        "footer-answer": "{office}. Răspundeți la acest e-mail, iar răspunsul ajunge la expeditor ca SMS.",
        "heartbeat": "Semnal de viață al liniei {line}: {office}",
        "heartbeat-body": "Linia {line} și-a trimis un SMS; acest e-mail dovedește că mesajele sosesc. "
                          "Nu este nimic de făcut.",
        "answer-lost": "Răspunsul dvs. nu a fost trimis ca SMS la {number}. {why}",
    },
}  # fmt: skip


def phrase(language: str, name: str, **facts: str) -> str:
    """The words of an id in a language with its facts filled in. A fact's own braces stay what they are."""
    table = PHRASES.get(language, PHRASES["en"])
    words = table.get(name) or PHRASES["en"].get(name)
    return words.format(**facts) if words is not None else name
