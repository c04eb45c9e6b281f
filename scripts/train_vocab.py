#!/usr/bin/env python3
"""Trains the embedded vocabulary: prints host/vocab_default.inc.

    scripts/train_vocab.py > host/vocab_default.inc

Byte-level BPE, 4,096 tokens: the 256 bytes (token id = byte), then merges in the order they were found, then the
special token <|end|>. The text is the Apache licence in LICENSE, and English sentences, JSON and code that this script
makes up from its own word lists. Nothing depends on time, hashing or a library's random numbers: the same file comes
out on every machine.
"""
import heapq
import json
import os
import re
import sys
from collections import Counter, defaultdict

TOKEN_COUNT = 4096
STOP_TOKEN = "<|end|>"

WORDS = """
the of and to in a is that it was for on are with as his they be at one have this from or had by not but some what
there we can out other were all your when up use word how said an each she which do their time if will way about many
then them would write like so these her long make thing see him two has look more day could go come did my sound no most
number who over know water than call first people may down side been now find any new work part take get place made live
where after back little only round man year came show every good me give our under name very through just form much
great think say help low line before turn cause same mean differ move right boy old too does tell sentence set three want
air well also play small end put home read hand port large spell add even land here must big high such follow act why ask
men change went light kind off need house picture try us again animal point mother world near build self earth father
head stand own page should country found answer school grow study still learn plant cover food sun four thought let keep
eye never last door between city tree cross since hard start might story saw far sea draw left late run while press close
night real life few stop open seem together next white children begin got walk example ease paper often always music
those both mark book letter until mile river car feet care second group carry took rain eat room friend began idea fish
mountain north once base hear horse cut sure watch color face wood main enough plain girl usual young ready above ever
red list though feel talk bird soon body dog family direct pose leave song measure state product black short numeral
class wind question happen complete ship area half rock order fire south problem piece told knew pass farm top whole king
size heard best hour better true during hundred remember step early hold west ground interest reach fast five sing listen
six table travel less morning ten simple several vowel toward war lay against pattern slow center love person money serve
appear road map science rule govern pull cold notice voice fall power town fine certain fly unit lead cry dark machine
note wait plan figure star box noun field rest correct able pound done beauty drive stood contain front teach week final
gave green quick develop sleep warm free minute strong special mind behind clear tail produce fact street inch lot
nothing course stay wheel full force blue object decide surface deep moon island foot yet busy test record boat common
gold possible plane age dry wonder laugh thousand ago ran check game shape yes hot miss brought heat snow bed bring sit
perhaps fill east weight language among grand ball wave drop heart present heavy dance engine position arm wide sail
material fraction forest race window store summer train prove lone leg exercise wall catch mount wish sky board joy winter
written wild instrument kept glass grass cow job edge sign visit past soft fun bright gas weather month million bear finish
happy hope flower clothe strange gone trade melody trip office receive row mouth exact symbol die least trouble shout
except wrote seed tone join suggest clean break lady yard rise bad blow oil blood touch grew cent mix team wire cost lost
brown wear garden equal sent choose fell fit flow fair bank collect save control decimal gentle woman captain practice
separate difficult doctor please protect noon whose locate ring character insect caught period indicate radio spoke atom
human history effect electric expect crop modern element hit student corner party supply bone rail imagine provide agree
thus capital chair danger fruit rich thick soldier process operate guess necessary sharp wing create neighbor wash bat
rather crowd corn compare poem string bell depend meat rub tube famous dollar stream fear sight thin triangle planet hurry
chief colony clock mine tie enter major fresh search send yellow gun allow print dead spot desert suit current lift rose
continue block chart hat sell success company subtract event particular deal swim term opposite wife shoe shoulder spread
arrange camp invent cotton born determine quart nine truck noise level chance gather shop stretch throw shine property
column molecule select wrong gray repeat require broad prepare salt nose plural anger claim continent oxygen sugar death
pretty skill women season solution magnet silver thank branch match suffix especially fig afraid huge sister steel discuss
forward similar guide experience score apple bought led pitch coat mass card band rope slip win dream evening condition
feed tool total basic smell valley nor double seat arrive master track parent shore division sheet substance favor connect
post spend chord fat glad original share station dad bread charge proper bar offer segment slave duck instant market degree
populate chick dear enemy reply drink occur support speech nature range steam motion path liquid log meant quotient teeth
shell neck service software system server client request response message account address customer delivery payment
invoice quantity currency discount category description information available different important international government
development management technology education environment application organization performance communication
""".split()

KEYS = """
id name type value title description status items properties required address city country email phone price quantity
total currency created_at updated_at date time start end user user_id username password first_name last_name age gender
tags category categories color size width height weight length unit units enabled disabled active url image images link
language locale region state zip code postal_code street number count index score rating comment comments message messages
role content text data result results error errors query parameters arguments function tool tools model version author
authors book books movie genre year month day hour minute second latitude longitude location temperature humidity
steps step explanation final_answer reasoning answer question options choices choice label labels key keys list array
object string integer boolean null true false min max default format pattern enum schema source target path file files
product products order orders customer items_count amount payment method account balance transaction device config settings
""".split()

WORDS_ELSEWHERE = """
été garçon français où déjà élève forêt naïve cœur straße über schön Mädchen Größe für können año mañana niño corazón
información también canción São João coração não você água città perché più è già Łódź część źródło København smørrebrød
Привет мир человек время жизнь день работа слово город Москва здравствуйте спасибо 中文 日本語 你好 世界 谢谢 東京 北京 大学
時間 名前 です ます こんにちは ありがとう 한국어 안녕하세요 감사합니다 naïveté “quoted” ‘single’ – — … € £ ¥ ° × ½ 😀 🎉 👍 ❤️ 🚀 ✅
""".split()

NAMES = "Alice Bob Carol David Emma Frank Grace Henry Ines Jack Karen Liam Maria Noah Olivia Paul Quinn Rosa Sam Tara".split()
PLACES = "London Paris Berlin Madrid Rome Tokyo Sydney Boston Chicago Seattle Toronto Oslo Vienna Lisbon Dublin".split()


class Random:
    """xorshift64*: the same numbers everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state ^= self.state >> 12
        self.state ^= self.state << 25 & 0xFFFFFFFFFFFFFFFF
        self.state ^= self.state >> 27
        return (self.state * 2685821657736338717 & 0xFFFFFFFFFFFFFFFF) % (1 << 48) * bound >> 48

    def choice(self, items):
        return items[self.below(len(items))]

    def common(self, items):
        """Early items more often, as words are used."""
        return items[self.below(self.below(len(items)) + 1)]


def sentence(random):
    words = [random.common(WORDS) for _ in range(4 + random.below(12))]
    if random.below(6) == 0:
        words[random.below(len(words))] = random.choice(NAMES + PLACES)
    if random.below(12) == 0:
        words[random.below(len(words))] = random.choice(WORDS_ELSEWHERE)
    if random.below(8) == 0:
        words[random.below(len(words))] = str(random.below(10 ** (1 + random.below(4))))
    if random.below(5) == 0:
        words[len(words) // 2] += ","
    text = " ".join(words)
    return text[0].upper() + text[1:] + random.choice([".", ".", ".", "!", "?"])


def scalar(random):
    kind = random.below(16)
    if kind < 2:
        return random.below(10 ** (1 + random.below(5)))
    if kind == 2:
        return (random.below(20000) - 5000) / 100
    if kind == 3:
        return random.choice([True, False])
    if kind == 4:
        return None
    if kind == 5:
        return "20%02d-%02d-%02d" % (random.below(30), 1 + random.below(12), 1 + random.below(28))
    if kind == 6:
        return "20%02d-%02d-%02dT%02d:%02d:00Z" % (
            random.below(30), 1 + random.below(12), 1 + random.below(28), random.below(24), random.below(60))
    if kind == 7:
        return "%s@example.com" % random.choice(NAMES).lower()
    if kind == 8:
        return "https://www.example.com/%s/%d" % (random.choice(KEYS), random.below(1000))
    if kind == 9:
        return "+1-555-%04d" % random.below(10000)
    if kind < 12:
        return random.choice(NAMES + PLACES)
    if kind == 12:
        return random.common(WORDS)
    if kind == 13:
        return random.choice(['%s\n%s', '"%s" %s', '%s\n\n- %s', "%s\t%s", "C:\\%s %s"]) % (
            random.common(WORDS), sentence(random))
    return sentence(random)


def value(random, depth):
    kind = random.below(10)
    if depth > 0 and kind < 2:
        return {name: value(random, depth - 1) for name in
                [random.choice(KEYS) for _ in range(random.below(6))]}
    if depth > 0 and kind == 2:
        return [value(random, 0) for _ in range(random.below(5))]
    if depth > 0 and kind == 3:
        return [{name: value(random, depth - 2) for name in
                 [random.choice(KEYS) for _ in range(1 + random.below(4))]} for _ in range(random.below(4))]
    return scalar(random)


def document(random):
    tree = {name: value(random, 3) for name in [random.choice(KEYS) for _ in range(1 + random.below(7))]}
    spelling = random.below(4)
    if spelling == 0:
        return json.dumps(tree, ensure_ascii=False, indent=2)
    if spelling == 1:
        return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(tree, ensure_ascii=False)


def training_text():
    random = Random(20240229)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(root, "LICENSE"), encoding="utf-8") as file:
        yield file.read()
    for _ in range(6000):
        yield sentence(random)
    for _ in range(4000):
        yield document(random)
    for word in WORDS + KEYS + NAMES + PLACES + WORDS_ELSEWHERE:
        yield " ".join([word] * 8)


# A merge never crosses these pieces: JSON's escapes, words with one space before, short numbers, runs of punctuation
# that may hold single spaces (`", "`, `": {"`), line breaks with their indentation, other white space.
PIECE = re.compile(r"""(?:\\["\\/bfnrtu])+|\ ?[^\W\d_]+|\ ?_?[^\W\d_]+|\ ?\d{1,3}
    |\ ?(?:[^\w\s\\]|_)+(?:\ (?:[^\w\s\\]|_)+)*|\n\ *|\s+|\\""", re.X)


def train(pieces, merge_count):
    """[(bytes, bytes)] merges, most frequent pair first; ties go to the pair whose bytes are smaller."""
    words = sorted(pieces.items())
    symbols = [[bytes([byte]) for byte in word] for word, _ in words]
    counts = [count for _, count in words]
    pair_counts, pair_words = Counter(), defaultdict(set)
    for index, word in enumerate(symbols):
        for pair in zip(word, word[1:]):
            pair_counts[pair] += counts[index]
            pair_words[pair].add(index)
    heap = [(-count, pair) for pair, count in pair_counts.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < merge_count:
        count, pair = heapq.heappop(heap)
        if -count != pair_counts[pair]:
            if pair_counts[pair] > 0:
                heapq.heappush(heap, (-pair_counts[pair], pair))
            continue
        merges.append(pair)
        changed = set()
        for index in pair_words.pop(pair):
            word, before = symbols[index], symbols[index]
            merged, at = [], 0
            while at < len(word):
                if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
                    merged.append(word[at] + word[at + 1])
                    at += 2
                else:
                    merged.append(word[at])
                    at += 1
            symbols[index] = merged
            for old in zip(before, before[1:]):
                pair_counts[old] -= counts[index]
            for new in zip(merged, merged[1:]):
                pair_counts[new] += counts[index]
                pair_words[new].add(index)
                changed.add(new)
        pair_counts[pair] = 0
        for new in changed:
            heapq.heappush(heap, (-pair_counts[new], new))
    return merges


def c_string(data):
    """Octal where a character is not plain; so are ? (trigraphs), " and the backslash."""
    return '"%s"' % "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '?"\\' else "\\%03o" % byte for byte in data)


def main():
    pieces = Counter()
    for text in training_text():
        pieces.update(piece.encode() for piece in PIECE.findall(text))
    tokens = [bytes([byte]) for byte in range(256)]
    known = set(tokens)
    for left, right in train(pieces, 2 * TOKEN_COUNT):
        if left + right not in known and len(tokens) < TOKEN_COUNT - 1:
            known.add(left + right)
            tokens.append(left + right)
    assert len(tokens) == TOKEN_COUNT - 1, len(tokens)
    print("/* Printed by scripts/train_vocab.py: %d tokens, TEXT(bytes) by id. */" % TOKEN_COUNT)
    line = ""
    for entry in ["TEXT(%s)" % c_string(token) for token in tokens] + ["SPECIAL(%s)" % c_string(STOP_TOKEN.encode())]:
        if len(line) + 1 + len(entry) > 118:
            print(line)
            line = ""
        line += (" " if line else "") + entry
    print(line)


if __name__ == "__main__":
    sys.exit(main())
