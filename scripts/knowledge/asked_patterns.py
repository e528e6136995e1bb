"""How people ask: patterns by topic and language for the labelled questions. Texts only.

``{in}`` is where a place may be named, with its preposition and a space before it; ``{day}`` a day of the year, ``{name}`` a
holiday, ``{year}`` a year. None of them is a question or paraphrase of a record: the build of the questions refuses it.
"""

from typing import Final

IN_SCOPE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "emergency.number": {
        "en": (
            "someone just collapsed{in}, which digits do I punch in to get help?",
            "Could you tell me how to reach the emergency services by phone{in}?",
            "there's a fire next door, who do i ring{in}",
            "If things go badly wrong{in}, what's the phone number I should remember?",
            "I'd like to save the local emergency line{in} on my kid's phone. What is it?",
            "Is there something like a 999 number{in}? Which one?",
        ),
        "de": (
            "Hier brennt's! Wen muss ich anrufen{in}?",
            "Unter welcher Nummer erreiche ich{in} den Notruf?",
            "ich brauch schnell hilfe, was wähl ich da{in}",
            "Welche Telefonnummer sollte man sich{in} für Notfälle merken?",
            "Können Sie mir sagen, wie man{in} telefonisch einen Notfall meldet?",
            "Meine Tochter fragt, was man{in} bei einem Unfall wählen muss.",
        ),
        "fr": (
            "Il y a eu un accident, je compose quoi{in} ?",
            "Pourriez-vous me donner le numéro des secours{in} ?",
            "c'est quoi le numero a faire quand ca brule{in}",
            "Quel est le numéro de téléphone à retenir pour les urgences{in} ?",
            "Je voudrais savoir comment appeler les secours{in}.",
            "Au secours ! Qui dois-je appeler{in} ?",
        ),
        "es": (
            "¡Hay un incendio! ¿Qué número marco{in}?",
            "¿Me podría decir cuál es el teléfono de emergencias{in}?",
            "oye a donde llamo si hay un accidente{in}",
            "Quisiera guardar en el móvil el número de urgencias{in}, ¿cuál es?",
            "¿Qué teléfono hay que marcar{in} para pedir auxilio?",
            "Mi vecino se ha desmayado, ¿a quién llamo{in}?",
        ),
    },
    "money.currency": {
        "en": (
            "what cash should I bring{in}?",
            "Which notes and coins do shops take{in}?",
            "In what currency are prices quoted{in}?",
            "so what do you actually pay with{in}, which money",
            "Could you tell me the name of the national currency{in}?",
            "I have to change some money before the trip. Into what{in}?",
        ),
        "de": (
            "In welcher Währung sind die Preise{in} angegeben?",
            "Welches Geld brauche ich{in}?",
            "mit was für geld zahlt man{in} eigentlich",
            "Können Sie mir sagen, wie die Landeswährung{in} heißt?",
            "Welche Scheine und Münzen werden{in} angenommen?",
            "Ich möchte Geld wechseln. In welche Währung{in}?",
        ),
        "fr": (
            "Avec quel argent paie-t-on{in} ?",
            "En quelle devise les prix sont-ils affichés{in} ?",
            "c'est quoi la monnaie{in}",
            "Je dois changer de l'argent avant de partir : en quelle devise{in} ?",
            "Pourriez-vous me dire quelle devise a cours{in} ?",
            "Quels billets et quelles pièces accepte-t-on{in} ?",
        ),
        "es": (
            "¿Con qué dinero se paga{in}?",
            "¿En qué divisa están los precios{in}?",
            "que moneda usan{in}",
            "Tengo que cambiar dinero antes del viaje, ¿a qué divisa{in}?",
            "¿Me puede decir cómo se llama la moneda del país{in}?",
            "¿Qué billetes y monedas se aceptan{in}?",
        ),
    },
    "calendar.first-weekday": {
        "en": (
            "does the week begin on a sunday or a monday{in}?",
            "Which column comes first in a printed calendar{in}, Monday or Sunday?",
            "Tell me which weekday counts as day one{in}.",
        ),
        "de": (
            "Fängt die Woche{in} am Sonntag oder am Montag an?",
            "Welcher Wochentag steht{in} im Kalender ganz vorne?",
            "mit welchem wochentag gehts{in} in der woche los",
        ),
        "fr": (
            "La semaine commence-t-elle le dimanche ou le lundi{in} ?",
            "Quel jour figure en premier sur les calendriers{in} ?",
            "la semaine ca debute quel jour{in}",
        ),
        "es": (
            "¿La semana empieza en domingo o en lunes{in}?",
            "¿Qué día aparece primero en los calendarios{in}?",
            "con que dia arranca la semana{in}",
        ),
    },
    "measurement.system": {
        "en": (
            "Will I see kilometres or miles{in}?",
            "Do folks{in} weigh things in kilos or in pounds?",
            "Is everything metric{in}?",
        ),
        "de": (
            "Rechnet man{in} in Kilometern oder in Meilen?",
            "Misst man{in} metrisch oder nach angloamerikanischen Einheiten?",
        ),
        "fr": (
            "Compte-t-on en kilomètres ou en miles{in} ?",
            "Est-ce que tout est en système métrique{in} ?",
        ),
        "es": (
            "¿Se usan kilómetros o millas{in}?",
            "¿Se pesa en kilos o en libras{in}?",
        ),
    },
    "tax.vat.standard": {
        "en": (
            "how much vat do i have to put on an invoice{in}",
            "Which percentage of value added tax is normally charged{in}?",
            "Remind me of the regular VAT percentage{in}, please.",
            "What's the usual VAT{in}?",
            "I'm writing an invoice for ordinary goods{in}. At what VAT rate?",
            "The full rate of VAT{in} is how many percent?",
        ),
        "de": (
            "Wie viel Prozent Mehrwertsteuer fallen{in} normalerweise an?",
            "Welchen Steuersatz schreibe ich{in} auf eine ganz normale Rechnung (USt)?",
            "wieviel mwst hat man{in}",
            "Wie hoch ist{in} der Regelsteuersatz bei der Umsatzsteuer?",
            "Ich schreibe eine Rechnung über gewöhnliche Waren. Mit wie viel Umsatzsteuer{in}?",
            "Sagen Sie mir bitte den vollen Mehrwertsteuersatz{in}.",
        ),
        "fr": (
            "Combien de TVA faut-il facturer normalement{in} ?",
            "La TVA au taux plein, c'est combien de pour cent{in} ?",
            "c koi le taux de tva standard{in}",
            "Quel pourcentage de TVA s'applique aux produits ordinaires{in} ?",
            "Rappelez-moi le taux courant de la taxe sur la valeur ajoutée{in}.",
            "Je dois établir une facture pour des biens ordinaires : quelle TVA{in} ?",
        ),
        "es": (
            "¿Cuánto IVA se cobra normalmente{in}?",
            "¿De qué porcentaje es el IVA general{in}?",
            "cuanto es el iva{in} normalmente",
            "Recuérdeme el tipo ordinario del impuesto sobre el valor añadido{in}.",
            "¿Qué IVA pongo{in} en una factura de productos corrientes?",
        ),
    },
    "tax.vat.reduced": {
        "en": ("And the lower VAT band{in}, how much is that?", "What VAT do things with the reduced rate carry{in}?"),
        "de": (
            "Und der verminderte Satz der Umsatzsteuer{in}, wie hoch ist der?",
            "Wie viel Prozent beträgt{in} die ermäßigte Mehrwertsteuer?",
        ),
        "fr": (
            "Et la TVA réduite{in}, elle est à combien ?",
            "À combien s'élève{in} le taux réduit de la taxe sur la valeur ajoutée ?",
        ),
        "es": (
            "¿Y el IVA reducido{in}, a cuánto está?",
            "¿Qué porcentaje tiene{in} el tipo reducido del impuesto sobre el valor añadido?",
        ),
    },
    "work.minimum-wage": {
        "en": (
            "what's the least a boss can pay me per hour{in}?",
            "How many dollars an hour is minimum wage{in}?",
            "I'm hiring a cashier{in}. What hourly pay is the legal floor?",
            "min wage{in}?",
        ),
        "de": ("Wie hoch ist der Mindestlohn{in}?", "Wie viel Dollar pro Stunde muss ein Arbeitgeber{in} mindestens zahlen?"),
        "fr": (
            "À combien est le salaire minimum horaire{in} ?",
            "Combien de dollars l'heure un employeur doit-il payer au minimum{in} ?",
        ),
        "es": ("¿A cuánto está el salario mínimo{in}?", "¿Cuántos dólares la hora hay que pagar como mínimo{in}?"),
    },
    "traffic.speed-limit.urban": {
        "en": (
            "max speed inside a town{in}?",
            "Unless signs say otherwise, how fast can I go in cities{in}?",
            "I'm driving through a village{in}. What's the limit?",
        ),
        "de": (
            "Wie hoch ist das Tempolimit in Ortschaften{in}?",
            "wie schnell darf ich{in} in der stadt fahren",
            "Welche Höchstgeschwindigkeit gilt{in} in Städten und Dörfern?",
        ),
        "fr": (
            "À combien peut-on rouler en ville{in} ?",
            "Quelle est la limitation de vitesse dans les villages{in} ?",
            "on roule a combien max en ville{in}",
        ),
        "es": (
            "¿A cuánto se puede ir por la ciudad{in}?",
            "¿Qué límite de velocidad hay dentro de los pueblos{in}?",
            "a que velocidad maxima puedo ir en ciudad{in}",
        ),
    },
    "traffic.speed-limit.rural": {
        "en": ("max speed on an ordinary country road{in}?", "Outside towns, not on a motorway: how fast may my car go{in}?"),
        "de": (
            "Welches Tempolimit gilt auf Landstraßen{in}?",
            "Wie schnell darf ich außerhalb von Ortschaften fahren{in} (nicht Autobahn)?",
        ),
        "fr": (
            "À combien peut-on rouler sur une route de campagne{in} ?",
            "Hors des villes et pas sur autoroute, quelle vitesse maximale{in} ?",
        ),
        "es": (
            "¿A cuánto se puede ir por una carretera normal fuera de la ciudad{in}?",
            "¿Qué límite hay en las carreteras rurales{in}?",
        ),
    },
    "traffic.speed-limit.motorway": {
        "en": ("how fast am I allowed to go on the motorway{in}?", "Is there a top speed on motorways{in}, and which?"),
        "de": ("Welches Tempolimit gilt auf Autobahnen{in}?", "Gibt's{in} auf der Autobahn eine Höchstgeschwindigkeit?"),
        "fr": ("On peut rouler à combien sur l'autoroute{in} ?", "Quelle limite de vitesse s'applique aux autoroutes{in} ?"),
        "es": ("¿A cuánto se puede ir por la autopista{in}?", "¿Qué límite de velocidad tienen las autopistas{in}?"),
    },
    "holiday.day": {
        "en": (
            "do I have to work on {day}{in} or is it a holiday?",
            "Is {day} a bank holiday{in}?",
            "will offices be closed for a public holiday on {day}{in}?",
            "{day}{in} - public holiday, yes or no?",
            "I wonder whether {day} counts as an official holiday{in}.",
        ),
        "de": (
            "Ist am {day}{in} Feiertag?",
            "Hat man am {day}{in} frei, also gesetzlich?",
            "muss ich am {day}{in} arbeiten oder ist da feiertag",
            "Wissen Sie, ob der {day}{in} ein gesetzlicher Feiertag ist?",
        ),
        "fr": (
            "Est-ce que le {day} est férié{in} ?",
            "On travaille le {day}{in} ou c'est un jour férié ?",
            "J'aimerais savoir si le {day} est chômé en tant que jour férié{in}.",
            "le {day} cest ferie{in}",
        ),
        "es": (
            "¿El {day} es feriado{in}?",
            "¿Se trabaja el {day}{in} o es día festivo?",
            "Quería saber si el {day} es fiesta oficial{in}.",
            "el {day} es festivo{in} o no",
        ),
    },
    "holiday.name": {
        "en": (
            "do we get {name} off as a public holiday{in}?",
            "Does {name} count as a bank holiday{in}?",
            "Is {name} a statutory holiday{in}?",
        ),
        "de": (
            "Ist {name}{in} ein gesetzlicher Feiertag?",
            "hat man an {name}{in} frei",
            "Zählt {name}{in} zu den gesetzlichen Feiertagen?",
        ),
        "fr": (
            "{name}, c'est férié{in} ?",
            "Est-ce un jour férié{in}, {name} ?",
            "Les jours fériés{in} comprennent-ils {name} ?",
        ),
        "es": ("¿Es feriado{in} {name}?", "¿{name} cuenta como día festivo{in}?", "{name} es fiesta oficial{in}?"),
    },
    "holiday.date": {
        "en": (
            "what day does {name} land on in {year}{in}?",
            "I need the {year} date of {name}{in}.",
            "{name} {year}{in}: which date?",
        ),
        "de": (
            "Auf welches Datum fällt {name} {year}{in}?",
            "wann haben wir {year}{in} {name}",
            "Ich brauche das Datum von {name} im Jahr {year}{in}.",
        ),
        "fr": (
            "À quelle date tombe {name} en {year}{in} ?",
            "c'est quand {name} en {year}{in}",
            "Il me faut la date de {name} pour {year}{in}.",
        ),
        "es": (
            "¿En qué fecha cae {name} en {year}{in}?",
            "que dia es {name} en {year}{in}",
            "Necesito la fecha de {name} del año {year}{in}.",
        ),
    },
}

YEARED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "tax.vat.standard": {
        "en": ("What was the normal VAT rate in {year}{in}?", "how much VAT did one pay back in {year}{in}"),
        "de": ("Wie hoch war {year} der normale Mehrwertsteuersatz{in}?", "wieviel mehrwertsteuer zahlte man {year}{in}"),
        "fr": ("Quel était le taux normal de la TVA en {year}{in} ?", "on payait combien de tva en {year}{in}"),
        "es": ("¿Cuál era el tipo general del IVA en {year}{in}?", "cuanto iva se pagaba en {year}{in}"),
    },
    "money.currency": {
        "en": ("Which currency did people use in {year}{in}?", "What was the legal tender in {year}{in}?"),
        "de": ("Mit welcher Währung bezahlte man {year}{in}?", "Welche Währung galt {year}{in}?"),
        "fr": ("Quelle monnaie avait cours en {year}{in} ?", "Avec quelle monnaie payait-on en {year}{in} ?"),
        "es": ("¿Qué moneda se usaba en {year}{in}?", "¿Cuál era la moneda oficial en {year}{in}?"),
    },
    "work.minimum-wage": {
        "en": ("What did the minimum wage come to in {year}{in}?", "how high was minimum pay per hour in {year}{in}"),
        "de": ("Wie hoch war {year} der Mindestlohn{in}?",),
        "fr": ("À combien était le salaire minimum en {year}{in} ?",),
        "es": ("¿A cuánto estaba el salario mínimo en {year}{in}?",),
    },
}

OTHER_RELATION: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "tax.vat.standard": {
        "en": ("Who invented value added tax?", "What is my VAT registration number?", "How do I claim a VAT refund as a tourist?",
               "When is the VAT return due?", "Is VAT the same thing as sales tax?", "What does VAT stand for?"),
        "de": ("Wer hat die Mehrwertsteuer erfunden?", "Wie lautet meine Umsatzsteuer-Identifikationsnummer?",
               "Bis wann muss die Umsatzsteuervoranmeldung abgegeben werden?", "Wie bekomme ich als Tourist die Mehrwertsteuer zurück?",
               "Wie hoch ist der Spitzensteuersatz bei der Einkommensteuer?"),
        "fr": ("Qui a inventé la TVA ?", "Quel est mon numéro de TVA intracommunautaire ?", "Quand faut-il déposer la déclaration de TVA ?",
               "Comment se faire rembourser la TVA quand on est touriste ?", "Que veut dire le sigle TVA ?"),
        "es": ("¿Quién inventó el IVA?", "¿Cuál es mi número de identificación del IVA?", "¿Cuándo hay que presentar la declaración del IVA?",
               "¿Cómo pido la devolución del IVA como turista?", "¿Qué significan las siglas IVA?"),
    },
    "work.minimum-wage": {
        "en": ("What is the average wage?", "How many hours is a full working week?", "Who introduced the minimum wage?",
               "What is the minimum age for working?", "What is the maximum fine for paying late?"),
        "de": ("Wie hoch ist der Durchschnittslohn?", "Ab welchem Alter darf man arbeiten?"),
        "fr": ("Quel est le salaire moyen ?", "À partir de quel âge peut-on travailler ?"),
        "es": ("¿Cuál es el salario medio?", "¿A partir de qué edad se puede trabajar?"),
    },
    "money.currency": {
        "en": ("What is the exchange rate to the dollar?", "Who designs the banknotes?", "What is the largest banknote?", "How high is inflation?"),
        "de": ("Wie steht der Wechselkurs zum Dollar?", "Wer gestaltet die Geldscheine?", "Was ist der größte Geldschein?", "Wie hoch ist die Inflation?"),
        "fr": ("Quel est le taux de change avec le dollar ?", "Qui dessine les billets de banque ?", "Quel est le plus gros billet ?",
               "Quel est le taux d'inflation ?"),
        "es": ("¿A cómo está el cambio con el dólar?", "¿Quién diseña los billetes?", "¿Cuál es el billete más grande?", "¿Cuánta inflación hay?"),
    },
    "emergency.number": {
        "en": ("What is the phone number of the tax office?", "How many people work for the emergency services?", "Where is the emergency exit?"),
        "de": ("Wie lautet die Telefonnummer des Finanzamts?", "Wo ist der Notausgang?", "Wie viele Leute arbeiten bei der Feuerwehr?"),
        "fr": ("Quel est le numéro de téléphone des impôts ?", "Où est la sortie de secours ?", "Combien de pompiers y a-t-il ?"),
        "es": ("¿Cuál es el teléfono de Hacienda?", "¿Dónde está la salida de emergencia?", "¿Cuántos bomberos hay?"),
    },
    "traffic.speed-limit.motorway": {
        "en": ("How long is the motorway network?", "What is the fine for speeding on the motorway?", "What do motorway tolls cost?"),
        "de": ("Wie lang ist das Autobahnnetz?", "Was kostet zu schnelles Fahren auf der Autobahn?", "Was kostet die Maut auf der Autobahn?"),
        "fr": ("Quelle est la longueur du réseau autoroutier ?", "Combien coûte un excès de vitesse sur autoroute ?", "Combien coûte le péage ?"),
        "es": ("¿Cuántos kilómetros de autopista hay?", "¿Cuánto es la multa por exceso de velocidad en autopista?", "¿Cuánto cuesta el peaje?"),
    },
    "traffic.speed-limit.urban": {
        "en": ("What is the minimum driving age?", "How fast do trams run in town?"),
        "de": ("Ab welchem Alter darf man Auto fahren?", "Wie schnell fährt die Straßenbahn in der Stadt?"),
        "fr": ("À partir de quel âge peut-on conduire ?", "À quelle vitesse roule le tramway en ville ?"),
        "es": ("¿A partir de qué edad se puede conducir?", "¿A qué velocidad circula el tranvía por la ciudad?"),
    },
    "holiday.date": {
        "en": ("What does Christmas Day commemorate?", "Why do people hide eggs at Easter?", "Which songs are sung on New Year's Day?"),
        "de": ("Was wird an Weihnachten gefeiert?", "Warum versteckt man an Ostern Eier?", "Woher kommt der Name Neujahr?"),
        "fr": ("Que commémore-t-on à Noël ?", "Pourquoi cache-t-on des œufs à Pâques ?", "Que mange-t-on le jour de l'An ?"),
        "es": ("¿Qué se conmemora el día de Navidad?", "¿Por qué se esconden huevos en Pascua?", "¿Qué se come en Año Nuevo?"),
    },
    "calendar.first-weekday": {
        "en": ("How many days of holiday do employees get a year?", "How many weeks does a year have?"),
        "de": ("Wie viele Urlaubstage hat ein Arbeitnehmer im Jahr?", "Wie viele Wochen hat ein Jahr?"),
        "fr": ("Combien de jours de congé a un salarié par an ?", "Combien de semaines compte une année ?"),
        "es": ("¿Cuántos días de vacaciones tiene un trabajador al año?", "¿Cuántas semanas tiene un año?"),
    },
    "measurement.system": {
        "en": ("Who invented the metric system?", "How many feet are in a mile?"),
        "de": ("Wer hat das metrische System erfunden?", "Wie viele Meter hat eine Meile?"),
        "fr": ("Qui a inventé le système métrique ?", "Combien de mètres y a-t-il dans un mile ?"),
        "es": ("¿Quién inventó el sistema métrico?", "¿Cuántos metros tiene una milla?"),
    },
}  # fmt: skip

UNRELATED: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Who wrote Faust?",
        "How do I boil an egg?",
        "What is the capital of Mongolia?",
        "recommend me a good detective novel",
    ),
    "de": (
        "Wer hat den Faust geschrieben?",
        "Wie kocht man ein Ei?",
        "Was ist die Hauptstadt der Mongolei?",
        "empfiehl mir mal einen guten krimi",
    ),
    "fr": (
        "Qui a écrit Les Misérables ?",
        "Comment cuire un œuf dur ?",
        "Quelle est la capitale de la Mongolie ?",
        "conseille-moi un bon polar",
    ),
    "es": (
        "¿Quién escribió el Quijote?",
        "¿Cómo se cuece un huevo?",
        "¿Cuál es la capital de Mongolia?",
        "recomiéndame una buena novela negra",
    ),
}

OPENERS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("Quick question: ", "Hi! ", "Sorry to bother you. ", "My boss wants to know: ", "hey, "),
    "de": ("Kurze Frage: ", "Hallo! ", "Entschuldigung, ", "Mein Chef will wissen: ", "hey, "),
    "fr": ("Petite question : ", "Bonjour ! ", "Excusez-moi, ", "Mon chef demande : ", "dis, "),
    "es": ("Una pregunta: ", "¡Hola! ", "Perdone, ", "Mi jefe pregunta: ", "oye, "),
}

PLACES: Final[dict[str, dict[str, str]]] = {
    "DE": {"en": "in Germany", "de": "in Deutschland", "fr": "en Allemagne", "es": "en Alemania"},
    "AT": {"en": "in Austria", "de": "in Österreich", "fr": "en Autriche", "es": "en Austria"},
    "CH": {"en": "in Switzerland", "de": "in der Schweiz", "fr": "en Suisse", "es": "en Suiza"},
    "FR": {"en": "in France", "de": "in Frankreich", "fr": "en France", "es": "en Francia"},
    "BE": {"en": "in Belgium", "de": "in Belgien", "fr": "en Belgique", "es": "en Bélgica"},
    "LU": {"en": "in Luxembourg", "de": "in Luxemburg", "fr": "au Luxembourg", "es": "en Luxemburgo"},
    "IT": {"en": "in Italy", "de": "in Italien", "fr": "en Italie", "es": "en Italia"},
    "ES": {"en": "in Spain", "de": "in Spanien", "fr": "en Espagne", "es": "en España"},
    "PT": {"en": "in Portugal", "de": "in Portugal", "fr": "au Portugal", "es": "en Portugal"},
    "NL": {"en": "in the Netherlands", "de": "in den Niederlanden", "fr": "aux Pays-Bas", "es": "en los Países Bajos"},
    "GB": {"en": "in the UK", "de": "in Großbritannien", "fr": "au Royaume-Uni", "es": "en el Reino Unido"},
    "IE": {"en": "in Ireland", "de": "in Irland", "fr": "en Irlande", "es": "en Irlanda"},
    "PL": {"en": "in Poland", "de": "in Polen", "fr": "en Pologne", "es": "en Polonia"},
    "SE": {"en": "in Sweden", "de": "in Schweden", "fr": "en Suède", "es": "en Suecia"},
    "DK": {"en": "in Denmark", "de": "in Dänemark", "fr": "au Danemark", "es": "en Dinamarca"},
    "HR": {"en": "in Croatia", "de": "in Kroatien", "fr": "en Croatie", "es": "en Croacia"},
    "BG": {"en": "in Bulgaria", "de": "in Bulgarien", "fr": "en Bulgarie", "es": "en Bulgaria"},
    "HU": {"en": "in Hungary", "de": "in Ungarn", "fr": "en Hongrie", "es": "en Hungría"},
    "US": {"en": "in the United States", "de": "in den USA", "fr": "aux États-Unis", "es": "en Estados Unidos"},
    "CA": {"en": "in Canada", "de": "in Kanada", "fr": "au Canada", "es": "en Canadá"},
    "MX": {"en": "in Mexico", "de": "in Mexiko", "fr": "au Mexique", "es": "en México"},
    "AR": {"en": "in Argentina", "de": "in Argentinien", "fr": "en Argentine", "es": "en Argentina"},
    "CO": {"en": "in Colombia", "de": "in Kolumbien", "fr": "en Colombie", "es": "en Colombia"},
    "CL": {"en": "in Chile", "de": "in Chile", "fr": "au Chili", "es": "en Chile"},
    "JP": {"en": "in Japan", "de": "in Japan", "fr": "au Japon", "es": "en Japón"},
    "AU": {"en": "in Australia", "de": "in Australien", "fr": "en Australie", "es": "en Australia"},
    "NZ": {"en": "in New Zealand", "de": "in Neuseeland", "fr": "en Nouvelle-Zélande", "es": "en Nueva Zelanda"},
    "DE-BY": {"en": "in Bavaria", "de": "in Bayern", "fr": "en Bavière", "es": "en Baviera"},
    "DE-SN": {"en": "in Saxony", "de": "in Sachsen", "fr": "en Saxe", "es": "en Sajonia"},
    "US-CA": {"en": "in California", "de": "in Kalifornien", "fr": "en Californie", "es": "en California"},
    "US-TX": {"en": "in Texas", "de": "in Texas", "fr": "au Texas", "es": "en Texas"},
    "CA-QC": {"en": "in Quebec", "de": "in Québec", "fr": "au Québec", "es": "en Quebec"},
    "ES-CT": {"en": "in Catalonia", "de": "in Katalonien", "fr": "en Catalogne", "es": "en Cataluña"},
    "GB-SCT": {"en": "in Scotland", "de": "in Schottland", "fr": "en Écosse", "es": "en Escocia"},
    "CH-GE": {
        "en": "in the canton of Geneva",
        "de": "im Kanton Genf",
        "fr": "dans le canton de Genève",
        "es": "en el cantón de Ginebra",
    },
}

HOLIDAYS: Final[dict[str, dict[str, str]]] = {
    "Epiphany": {"en": "Epiphany", "de": "Dreikönig", "fr": "l'Épiphanie", "es": "el día de Reyes"},
    "Maundy Thursday": {"en": "Maundy Thursday", "de": "Gründonnerstag", "fr": "le Jeudi saint", "es": "el Jueves Santo"},
    "Good Friday": {"en": "Good Friday", "de": "Karfreitag", "fr": "le Vendredi saint", "es": "el Viernes Santo"},
    "Easter Monday": {"en": "Easter Monday", "de": "Ostermontag", "fr": "le lundi de Pâques", "es": "el Lunes de Pascua"},
    "Ascension Day": {"en": "Ascension Day", "de": "Christi Himmelfahrt", "fr": "l'Ascension", "es": "la Ascensión"},
    "Pentecost Monday": {"en": "Whit Monday", "de": "Pfingstmontag", "fr": "le lundi de Pentecôte", "es": "el Lunes de Pentecostés"},
    "Corpus Christi": {"en": "Corpus Christi", "de": "Fronleichnam", "fr": "la Fête-Dieu", "es": "el Corpus"},
    "Assumption Day": {"en": "Assumption Day", "de": "Mariä Himmelfahrt", "fr": "l'Assomption", "es": "la Asunción"},
    "All Saints' Day": {"en": "All Saints' Day", "de": "Allerheiligen", "fr": "la Toussaint", "es": "Todos los Santos"},
    "Immaculate Conception": {
        "en": "the Immaculate Conception", "de": "Mariä Empfängnis", "fr": "l'Immaculée Conception", "es": "la Inmaculada",
    },
    "Reformation Day": {"en": "Reformation Day", "de": "Reformationstag", "fr": "le jour de la Réformation", "es": "el Día de la Reforma"},
    "Thanksgiving Day": {"en": "Thanksgiving", "de": "Thanksgiving", "fr": "Thanksgiving", "es": "Acción de Gracias"},
}  # fmt: skip
"""Holidays by the English name of the records, as they are called when asked about."""

DEPLOYED: Final[dict[str, tuple[str, ...]]] = {
    "en": ("US", "US-CA", "US-TX", "US-NY", "US-AK", "US-WA", "GB", "GB-SCT", "GB-ENG", "IE", "AU", "AU-VIC", "NZ", "CA", "CA-ON", "ZA",
           "DE", "DE-BY", "FR", "ES", "IT", "SE", "BG", "HR", "JP", "MT", "CH-ZH", "LT"),
    "de": ("DE", "DE-BY", "DE-BE", "DE-SN", "DE-NW", "DE-ST", "AT", "AT-9", "CH", "CH-ZH", "CH-LU", "LI", "LU", "BE", "IT-BZ", "FR", "US", "US-CA",
           "HR", "DK", "HU"),
    "fr": ("FR", "FR-6AE", "BE", "BE-WAL", "CH", "CH-GE", "CH-VD", "CH-JU", "LU", "MC", "CA", "CA-QC", "SN", "CI", "DE", "IT", "US-NY", "US-CA",
           "ES", "PT", "BG"),
    "es": ("ES", "ES-CT", "ES-MD", "ES-AN", "ES-GA", "MX", "AR", "CO", "CL", "PE", "UY", "EC", "SV", "PR", "US", "US-CA", "US-TX", "FR", "DE",
           "PT", "HR"),
}  # fmt: skip
"""Where deployments that are asked in a language stand: mostly at home, some abroad."""
