package match

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// surname is how a family name is read where that differs from the usual reading
// of its characters.
type surname struct {
	characters string
	readings   []string // alternatives; the syllables of one are separated by a blank
}

// surnames comes before the general table, for the first characters of a name.
// Longer names come first. Where families differ, all readings count.
var surnames = []surname{
	{"尉迟", []string{"yu chi"}}, {"万俟", []string{"mo qi"}}, {"长孙", []string{"zhang sun"}},
	{"令狐", []string{"ling hu"}}, {"澹台", []string{"tan tai"}}, {"单于", []string{"chan yu"}},
	{"单", []string{"shan"}}, {"仇", []string{"qiu"}}, {"解", []string{"xie"}}, {"曾", []string{"zeng"}},
	{"查", []string{"zha"}}, {"翟", []string{"zhai", "di"}}, {"盖", []string{"ge", "gai"}}, {"区", []string{"ou"}},
	{"朴", []string{"piao"}}, {"覃", []string{"qin", "tan"}}, {"缪", []string{"miao"}}, {"纪", []string{"ji"}},
	{"乐", []string{"yue", "le"}}, {"任", []string{"ren"}}, {"华", []string{"hua"}}, {"宁", []string{"ning"}},
	{"冼", []string{"xian"}}, {"逄", []string{"pang"}}, {"员", []string{"yun"}}, {"秘", []string{"bi"}},
	{"种", []string{"chong"}}, {"繁", []string{"po"}}, {"折", []string{"she"}}, {"召", []string{"shao"}},
	{"都", []string{"du"}}, {"车", []string{"che"}}, {"宓", []string{"mi"}}, {"阚", []string{"kan"}},
}

// elsewhere is how characters are read inside names where dictionaries put another
// reading first: 朝阳 is zhaoyang or chaoyang, 阿不都拉 never has a dou in it.
var elsewhere = map[rune][]string{
	'长': {"chang", "zhang"}, '朝': {"chao", "zhao"}, '乐': {"le", "yue"}, '重': {"chong", "zhong"},
	'行': {"xing", "hang"}, '茜': {"qian", "xi"}, '柏': {"bai", "bo"}, '晟': {"sheng", "cheng"},
	'参': {"shen", "can"}, '藏': {"zang", "cang"}, '都': {"du", "dou"}, '莘': {"xin", "shen"},
	'莞': {"wan", "guan"}, '曾': {"zeng"}, '佛': {"fo"}, '勒': {"le"}, '偲': {"si"}, '仔': {"zi", "zai"},
	'薄': {"bo", "bao"}, '泊': {"bo"}, '没': {"mo", "mei"}, '率': {"shuai"}, '婼': {"ruo"},
}

// maxSpellings bounds the keys of a name full of such characters.
const maxSpellings = 8

// spelling is one way to say the beginning of a name.
type spelling struct{ full, initials string }

// Pinyin reads a name: all syllables in one word without tones (liujingpei), and
// their initials (ljp); ü is written v. Most names have one reading; some have one
// for each way families say the surname or a character, up to eight. A name with a
// character nobody has a reading for has none.
func Pinyin(name string) (full, initials []string) {
	folded := Fold(name)
	key := letters(folded)
	given, ways := key, []spelling{{}}
	if !strings.Contains(folded, "·") { // names with a dot have no surname in front
		given, ways = cutSurname(key)
	}
	rest, ok := syllables(given)
	if !ok || key == "" {
		return nil, nil
	}
	for _, readings := range rest {
		ways = continued(ways, readings)
	}
	for _, w := range ways {
		full = appendNew(full, w.full)
		initials = appendNew(initials, w.initials)
	}
	return full, initials
}

// continued adds a syllable to each way, in each of its readings.
func continued(ways []spelling, readings []string) []spelling {
	if len(ways)*len(readings) > maxSpellings {
		readings = readings[:1]
	}
	var more []spelling
	for _, w := range ways {
		for _, s := range readings {
			more = append(more, spelling{w.full + s, w.initials + firstLetter(s)})
		}
	}
	return more
}

// cutSurname returns what follows the surname and the ways to say the surname;
// without a special surname, all of the name and one empty way.
func cutSurname(key string) (given string, ways []spelling) {
	for _, s := range surnames {
		if given, ok := strings.CutPrefix(key, s.characters); ok {
			for _, reading := range s.readings {
				way := []spelling{{}}
				for s := range strings.FieldsSeq(reading) {
					way = continued(way, []string{s})
				}
				ways = append(ways, way...)
			}
			return given, ways
		}
	}
	return key, []spelling{{}}
}

// syllables gives the readings of each Hanzi, and takes a run of other letters as
// one syllable.
func syllables(key string) ([][]string, bool) {
	var out [][]string
	foreign := false
	for _, r := range key {
		switch {
		case unicode.Is(unicode.Han, r):
			s, ok := syllable(r)
			if !ok {
				return nil, false
			}
			out, foreign = append(out, s), false
		case foreign:
			out[len(out)-1][0] += string(r)
		default:
			out, foreign = append(out, []string{string(r)}), true
		}
	}
	return out, true
}

func syllable(r rune) ([]string, bool) {
	if s, ok := elsewhere[r]; ok {
		return s, true
	}
	reading, _, _ := strings.Cut(pinyin.PinyinDict[int(r)], ",")
	return []string{withoutTone(reading)}, reading != ""
}

// withoutTone is a small part of the work of the library, which replaces by
// expressions.
func withoutTone(reading string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf {
			return r
		}
		if plain, ok := toneless[r]; ok {
			return plain
		}
		return -1 // a tone that stands alone
	}, reading)
}

// toneless are the letters of readings with a tone.
var toneless = map[rune]rune{
	'ā': 'a', 'á': 'a', 'ǎ': 'a', 'à': 'a', 'ō': 'o', 'ó': 'o', 'ǒ': 'o', 'ò': 'o', 'ē': 'e', 'é': 'e', 'ě': 'e', 'è': 'e', 'ê': 'e', 'ế': 'e', 'ề': 'e',
	'ī': 'i', 'í': 'i', 'ǐ': 'i', 'ì': 'i', 'ū': 'u', 'ú': 'u', 'ǔ': 'u', 'ù': 'u', 'ü': 'v', 'ǖ': 'v', 'ǘ': 'v', 'ǚ': 'v', 'ǜ': 'v',
	'ń': 'n', 'ň': 'n', 'ǹ': 'n', 'ḿ': 'm',
}

func firstLetter(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Masked gives a name of two to six characters with each character in turn hidden:
// 刘静佩 is ?静佩 刘?佩 刘静?. Two names of one length that differ in one character
// have one of them in common.
func Masked(name string) []string {
	key := []rune(FoldName(name))
	if len(key) < 2 || len(key) > 6 {
		return nil
	}
	masked := make([]string, len(key))
	for i := range key {
		hidden := slices.Clone(key)
		hidden[i] = '?'
		masked[i] = string(hidden)
	}
	return masked
}
