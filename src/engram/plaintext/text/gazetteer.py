"""A few hundred names that a reader knows: enough to tell a person from a place most times."""

# fmt: off
COUNTRIES = """
afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahamas
bahrain bangladesh barbados belarus belgium belize benin bhutan bolivia bosnia botswana brazil
brunei bulgaria burundi cambodia cameroon canada chile china colombia congo croatia cuba cyprus
denmark djibouti ecuador egypt england eritrea estonia ethiopia fiji finland france gabon gambia
germany ghana greece greenland grenada guatemala guinea guyana haiti honduras hungary iceland india
indonesia iran iraq ireland israel italy jamaica japan jordan kazakhstan kenya kosovo kuwait laos
latvia lebanon lesotho liberia libya lithuania luxembourg madagascar malawi malaysia maldives mali
malta mauritius mexico moldova monaco mongolia montenegro morocco mozambique myanmar namibia nepal
netherlands nicaragua niger nigeria norway oman pakistan palestine panama paraguay peru philippines
poland portugal qatar romania russia rwanda scotland senegal serbia singapore slovakia slovenia
somalia spain sudan suriname sweden switzerland syria taiwan tajikistan tanzania thailand tibet togo
tunisia turkey uganda ukraine uruguay usa uk uzbekistan venezuela vietnam wales yemen zambia
zimbabwe europe asia africa america antarctica scandinavia
"""
CITIES = """
aarhus abuja accra adelaide amsterdam ankara antwerp athens atlanta auckland austin baghdad baku
baltimore bangalore bangkok barcelona basel beijing beirut belfast belgrade bergen berlin bern
birmingham bogota bologna bordeaux boston bratislava bremen brisbane bristol brooklyn brussels
bucharest budapest cairo calgary cambridge canberra cardiff casablanca chennai chicago cologne
copenhagen dallas delhi denver detroit dhaka doha dortmund dresden dubai dublin durban dusseldorf
edinburgh florence frankfurt geneva genoa ghent glasgow gothenburg graz hamburg hanoi hanover havana
helsinki houston hyderabad istanbul jakarta jerusalem johannesburg kabul karachi kathmandu kiev
kingston kolkata krakow kyiv kyoto lagos lahore leeds leipzig lima lisbon liverpool ljubljana lodz
london lyon madrid malmo manchester manila marseille melbourne memphis miami milan milwaukee
minneapolis minsk montevideo montreal moscow mumbai munich nagoya nairobi naples nashville newcastle
oakland odense orlando osaka oslo ottawa oxford palermo paris perth philadelphia phoenix pittsburgh
porto portland prague quito reykjavik riga rome rotterdam sacramento salzburg santiago sarajevo
seattle seoul seville shanghai sheffield shenzhen skopje sofia stavanger stockholm strasbourg
stuttgart sydney taipei tallinn tampa tampere tbilisi tehran tirana tokyo toronto trondheim tunis
turin utrecht valencia vancouver vienna vilnius warsaw wellington winnipeg wuhan yerevan zagreb
zurich california texas florida oregon alaska hawaii colorado arizona nevada ohio michigan minnesota
vermont connecticut massachusetts pennsylvania bavaria tuscany sicily bali
"""
LONG_PLACES = """
new york|new york city|new zealand|new orleans|new delhi|new jersey|new mexico|los angeles
san francisco|san diego|san jose|santa fe|hong kong|south africa|south korea|north korea
saudi arabia|sri lanka|costa rica|el salvador|cape town|buenos aires|rio de janeiro|sao paulo
mexico city|kuala lumpur|ho chi minh city|tel aviv|abu dhabi|addis ababa|las vegas|salt lake city
kansas city|puerto rico|united states|united kingdom|united arab emirates|czech republic|ivory coast
sierra leone|the hague|st petersburg|fort wayne|north carolina|south carolina|northern ireland
"""
FIRST_NAMES = """
aaron abdul abigail adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alexis
ali alice alicia alison amanda amber amelia amir amit amy ana andre andrea andreas andrew angela
anika anita anja ann anna anne annie anthony anton antonio aria arjun arthur asha ashley astrid
audrey barbara beatrice ben benjamin bernard beth bianca bill birgit bjorn bob brandon brian bridget
bruce caleb camille carl carla carlos carmen carol caroline catherine cathy charles charlie
charlotte chen chloe chris christian christina christine christopher claire clara claudia colin
connor craig cynthia daisy dan daniel daniela danielle david debbie deborah deepak denise dennis
derek diana diego dmitri dmitry dominic donald donna dorothy doug dylan edward eileen elena eli
elias elisabeth elizabeth ella ellen ellie elsa emil emily emma enrique eric erik erika erin esther
ethan eva evan evelyn fatima felix fernando finn fiona florian francesca francis frank fred freya
gabriel gary george gerald gina giovanni giulia gloria gordon greg gregory greta gustav hannah hans
harold harry hassan heather heidi helen helena henrik henry hiroshi hugo ian ibrahim igor ines
ingrid irene iris isaac isabel isabella ivan jack jackie jacob jake james jamie jan jane janet jason
jasmine javier jean jeff jeffrey jen jenna jennifer jenny jeremy jerry jess jesse jessica jill jim
joan joanna joe joel johan johanna john johnny jon jonas jonathan jordan jorge jose joseph josh
joshua joyce juan judith judy julia julian julie jun justin kai karen karin karl kate katherine
kathleen katie keith kelly ken kenneth kenji kevin kim kristen kristina kurt kyle lars laura lauren
lea leah lee leila lena leo leon leonard lili lily lina linda lisa liz logan lorenzo louis louise
luca lucas lucia lucy luis luka luke maja malik marco marcus margaret maria marie marina mario
marion mark marta martha martin mary mateo matt matteo matthew max maya megan mehmet mei mel melanie
melissa mia michael michelle miguel mike milan mila mohamed mohammed monica monika muhammad nadia
nancy naomi natalia natalie natasha nate nathan nicholas nick nicole nikolai nina noah noor nora
olaf oleg olga oliver olivia omar oscar otto pablo pamela patricia patrick paul paula pavel pedro
peter petra phil philip philippe pierre pieter priya rachel rafael rahul rajesh ralph ramon raul
ravi raymond rebecca ricardo richard rick rita rob robert roberto robin roger roland ron rosa rosie
roy ruby russell ruth ryan sabine sally salma sam samantha samir samuel sandra sanjay sara sarah
sasha scott sean sebastian sergei sergio sharon shaun sheila silvia simon simone sofia sonia sophia
sophie stefan stella stephanie stephen steve steven stuart sue susan susanne suzanne sven sylvia
tanya tara ted teresa theo theresa thomas tim timothy tina tobias todd tom tomas tommy tony tracy
travis tyler ulrich ursula valentina valerie vanessa vera veronica victor victoria vikram vincent
vivian vladimir walter wanda wei wendy werner william xavier yan yasmin yuki yuri yusuf yvonne zach
zara zoe
"""
JOBS = """
accountant actor actress analyst animator architect artist astronomer author baker banker barber
barista bartender beekeeper biologist bookkeeper brewer bricklayer builder butcher carpenter cashier
chef chemist cleaner coach composer consultant cook copywriter counselor counsellor curator dancer
dentist designer detective developer dietitian director diplomat doctor driver economist editor
electrician engineer entrepreneur farmer firefighter fisherman florist freelancer gardener geologist
goldsmith hairdresser historian illustrator instructor interpreter investor janitor jeweller
journalist judge laborer lawyer lecturer librarian lifeguard locksmith manager mathematician
mechanic midwife miner model musician nanny nurse nutritionist optician painter paralegal paramedic
pharmacist photographer physicist physiotherapist pianist pilot plumber poet policeman politician
postman potter principal producer professor programmer psychiatrist psychologist publisher realtor
receptionist researcher sailor salesman scientist sculptor secretary seamstress singer soldier
statistician student surgeon surveyor tailor teacher technician therapist trader trainer translator
truck_driver tutor vet veterinarian violinist waiter waitress welder writer zookeeper
"""
# fmt: on

PLACES = frozenset(COUNTRIES.split()) | frozenset(CITIES.split())
PLACES |= {place.strip() for place in LONG_PLACES.replace("\n", "|").split("|") if place.strip()}
PEOPLE = frozenset(FIRST_NAMES.split())
WORKERS = frozenset(job.replace("_", " ") for job in JOBS.split())
