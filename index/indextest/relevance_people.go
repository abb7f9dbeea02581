package indextest

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"dangan/archive/match"
)

//go:embed testdata/people/*.txt
var people embed.FS

// human is a made-up person. How the name is said comes from the tables of testdata,
// not from the code under test; it is empty where those do not tell.
type human struct {
	name      string
	syllables []string
	kind      kind
}

// kind is what is special about a name.
type kind int

const (
	plain kind = iota
	rare
	uyghur
	tibetan
	glued // makes a word with 等, which follows names in titles
)

// said is a piece of a name.
type said struct {
	text      string
	syllables []string
}

// names makes people up, as frequent as a census finds them.
type names struct {
	surnames []said // each as often as it is borne
	given    []said
	uyghur   []said
	tibetan  []said
	common   []rune              // the 3,755 characters of GB 2312, level 1
	alike    map[string][]string // characters by how they are said
	old      *strings.Replacer   // to traditional characters
}

// Characters that many fonts and some dictionaries lack, and such as make a word
// with the next character of a title.
const (
	rareGiven = "㛃𬱖龘䶮堃喆甡犇翀燊"
	gluedEnds = "高平中同上头初"
)

func newNames() (*names, error) {
	n := &names{alike: map[string][]string{}}
	for file, read := range map[string]func([]string) error{
		"surnames": n.readSurname, "given": n.readGiven, "nations": n.readNation,
	} {
		rows, err := table(file)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := read(row); err != nil {
				return nil, fmt.Errorf("%s.txt: %q: %w", file, row, err)
			}
		}
	}
	rows, err := table("traditional")
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, pair := range slices.Concat(rows...) {
		c := []rune(pair)
		pairs = append(pairs, string(c[0]), string(c[1]))
	}
	n.old = strings.NewReplacer(pairs...)
	return n, n.readCommon()
}

func table(file string) (rows [][]string, err error) {
	b, err := people.ReadFile("testdata/people/" + file + ".txt")
	for line := range strings.Lines(string(b)) {
		if row := strings.Fields(line); len(row) > 0 && row[0] != "#" {
			rows = append(rows, row)
		}
	}
	return rows, err
}

func (n *names) readSurname(row []string) error {
	bearers, err := strconv.Atoi(row[2])
	for range bearers {
		n.surnames = append(n.surnames, said{row[0], strings.Split(row[1], ".")})
	}
	return err
}

func (n *names) readGiven(row []string) error {
	n.given = append(n.given, said{row[0], row[1:]})
	n.alike[row[1]] = append(n.alike[row[1]], row[0])
	return nil
}

func (n *names) readNation(row []string) error {
	part := said{row[1], strings.Split(row[2], ".")}
	switch row[0] {
	case "uyghur":
		n.uyghur = append(n.uyghur, part)
	case "tibetan":
		n.tibetan = append(n.tibetan, part)
	default:
		return fmt.Errorf("unknown kind")
	}
	return nil
}

// readCommon takes the characters that people write from the code table of GB 2312,
// where level 1 is a range.
func (n *names) readCommon() error {
	decoder := simplifiedchinese.GB18030.NewDecoder()
	for high := byte(0xB0); high <= 0xD7; high++ {
		for low := byte(0xA1); low <= 0xFE && (high != 0xD7 || low <= 0xF9); low++ {
			b, err := decoder.Bytes([]byte{high, low})
			if err != nil {
				return err
			}
			c := string(b)
			n.common = append(n.common, []rune(c)...)
			readings, _ := match.Pinyin("一" + c) // not at the front, where it would be a surname
			if len(readings) == 1 {
				spelt := strings.TrimPrefix(readings[0], "yi")
				n.alike[spelt] = append(n.alike[spelt], c)
			}
		}
	}
	return nil
}

// pick takes one at random.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// human makes somebody up: 3 % bear names of other nations, 1 % characters that few
// know, and one in ten a character that no list of given names has.
func (n *names) human(r *rand.Rand) human {
	switch percent := r.IntN(100); {
	case percent < 2:
		a, b := pick(r, n.uyghur), pick(r, n.uyghur)
		return human{a.text + "·" + b.text, slices.Concat(a.syllables, b.syllables), uyghur}
	case percent < 3:
		a, b := pick(r, n.tibetan), pick(r, n.tibetan)
		return human{a.text + b.text, slices.Concat(a.syllables, b.syllables), tibetan}
	case percent < 4:
		return human{pick(r, n.surnames).text + string(pick(r, []rune(rareGiven))), nil, rare}
	}
	h := n.withGiven(r, pick(r, n.surnames))
	if r.IntN(100) < 75 {
		h = n.withGiven(r, said{h.name, h.syllables})
	}
	return h
}

func (n *names) withGiven(r *rand.Rand, s said) human {
	if r.IntN(10) == 0 {
		return human{name: s.text + string(pick(r, n.common))}
	}
	u := r.Float64()
	g := n.given[int(u*u*float64(len(n.given)))] // the frequent ones are at the front
	h := human{name: s.text + g.text}
	if s.syllables != nil {
		h.syllables = slices.Concat(s.syllables, g.syllables)
	}
	return h
}

// glued is somebody whose name a dictionary tears apart when 等 follows.
func (n *names) glued(r *rand.Rand) human {
	return human{name: pick(r, n.surnames).text + pick(r, n.given).text + string(pick(r, []rune(gluedEnds))), kind: glued}
}
