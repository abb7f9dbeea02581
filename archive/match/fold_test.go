package match_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mozillazg/go-pinyin"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"dangan/archive/match"
)

func TestFold(t *testing.T) {
	tests := []struct{ in, folded, name string }{
		{"", "", ""},
		{"  刘静佩　", "刘静佩", "刘静佩"},
		{"劉靜佩", "刘静佩", "刘静佩"},
		{"歐陽建國", "欧阳建国", "欧阳建国"},
		{"阿依古丽·买买提", "阿依古丽·买买提", "阿依古丽买买提"},
		{"阿依古丽•买买提", "阿依古丽·买买提", "阿依古丽买买提"},
		{"阿依古丽．买买提", "阿依古丽.买买提", "阿依古丽买买提"},
		{"阿依古丽・买买提", "阿依古丽·买买提", "阿依古丽买买提"},
		{"阿依古丽 买买提", "阿依古丽 买买提", "阿依古丽买买提"},
		{"张㛃", "张㛃", "张㛃"},
		{"李𬱖", "李𬱖", "李𬱖"},
		{"王龘", "王龘", "王龘"},
		{"Ｇ１７９－ＴＸ•1995—D30", "g179-tx·1995-d30", "gtxd"},
		{"薴", "苎", "苎"}, // a chain in the table, followed to its end
	}
	for _, tt := range tests {
		if got := match.Fold(tt.in); got != tt.folded {
			t.Errorf("Fold(%q) = %q, want %q", tt.in, got, tt.folded)
		}
		if got := match.FoldName(tt.in); got != tt.name {
			t.Errorf("FoldName(%q) = %q, want %q", tt.in, got, tt.name)
		}
	}
}

func TestFoldTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		if once := match.Fold(s); match.Fold(once) != once {
			t.Errorf("%q folds to %q, then to %q", s, once, match.Fold(once))
		}
	})
}

// Every character: a table entry whose result folds further would break equality
// between records indexed before and after.
func TestFoldEveryCharacterTwice(t *testing.T) {
	for r := rune(0); r <= 0x3FFFF; r++ {
		if once := match.Fold(string(r)); match.Fold(once) != once {
			t.Errorf("U+%04X folds to %q, then to %q", r, once, match.Fold(once))
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("阿依古丽•买买提")
	f.Add("ﬃ㍿İẞ")
	f.Add("A˘") // the accent stands on a blank until the blank is gone
	f.Fuzz(func(t *testing.T, s string) {
		once := match.Fold(s)
		if match.Fold(once) != once {
			t.Errorf("%q: folding twice changes %q", s, once)
		}
		if name := match.FoldName(s); match.FoldName(name) != name {
			t.Errorf("%q: folding the name twice changes %q", s, name)
		}
	})
}

func TestPinyin(t *testing.T) {
	tests := []struct {
		name     string
		full     []string
		initials []string
	}{
		{"刘静佩", []string{"liujingpei"}, []string{"ljp"}},
		{"劉靜佩", []string{"liujingpei"}, []string{"ljp"}},
		{"单雄信", []string{"shanxiongxin"}, []string{"sxx"}},
		{"简单", []string{"jiandan"}, []string{"jd"}}, // 单 is no surname here
		{"曾國藩", []string{"zengguofan"}, []string{"zgf"}},
		{"万俟静", []string{"moqijing"}, []string{"mqj"}},
		{"单于丹", []string{"chanyudan"}, []string{"cyd"}},
		{"欧阳修", []string{"ouyangxiu"}, []string{"oyx"}},
		{"乐静", []string{"yuejing", "lejing"}, []string{"yj", "lj"}},
		{"盖丽", []string{"geli", "gaili"}, []string{"gl"}},
		{"吕丽", []string{"lvli"}, []string{"ll"}},
		{"任·买买提", []string{"renmaimaiti"}, []string{"rmmt"}},
		{"查·古丽", []string{"chaguli"}, []string{"cgl"}}, // with a dot nothing is a surname
		{"张㛃", []string{"zhangjie"}, []string{"zj"}},
		{"李𬱖", []string{"lidi"}, []string{"ld"}},
		{"王龘", []string{"wangda"}, []string{"wd"}},
		{"韩长丽", []string{"hanchangli", "hanzhangli"}, []string{"hcl", "hzl"}},
		{"阿不都拉", []string{"abudula", "abudoula"}, []string{"abdl"}}, // a dictionary says only dou
		{"长行朝乐", []string{ // eight at most
			"changxingchaole", "changxingzhaole", "changhangchaole", "changhangzhaole",
			"zhangxingchaole", "zhangxingzhaole", "zhanghangchaole", "zhanghangzhaole",
		}, []string{"cxcl", "cxzl", "chcl", "chzl", "zxcl", "zxzl", "zhcl", "zhzl"}},
		{"John Smith", []string{"johnsmith"}, []string{"j"}},
		{"李John", []string{"lijohn"}, []string{"lj"}},
		{"", nil, nil},
		{"张\U00031300", nil, nil}, // nobody has a reading for it
	}
	for _, tt := range tests {
		full, initials := match.Pinyin(tt.name)
		if diff := cmp.Diff([][]string{tt.full, tt.initials}, [][]string{full, initials}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestMasked(t *testing.T) {
	tests := []struct{ name, want string }{
		{"刘静佩", "?静佩 刘?佩 刘静?"},
		{"劉·靜", "?静 刘?"},
		{"张𬱖", "?𬱖 张?"},
		{"刘", ""},
		{"阿依古丽·买买提", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(match.Masked(tt.name), " "); got != tt.want {
			t.Errorf("Masked(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		in    string
		kind  match.Kind
		hasID bool
	}{
		{"", match.Empty, false},
		{" ·—  ", match.Empty, false},
		{"999999199001010016", match.IDNumber, true},
		{"99999919900101 001x", match.IDNumber, true},
		{"９９９９９９１９９００１０１００１Ｘ", match.IDNumber, true},
		{"999999-19900101-0016", match.IDNumber, true},
		{"999999900101001", match.IDNumber, true},
		{"刘静 999999199001010016", match.Hanzi, true},
		{"刘静999999 19900101 001X", match.Hanzi, true},
		{"身份证999999900101001号", match.Hanzi, true},
		{"liu jing 999999199001010016", match.Latin, true},
		{"99999919900101", match.Digits, false},
		{"1995", match.Digits, false},
		{"2010-05-20", match.Digits, false},
		{"001x", match.Digits, false},
		{"G179-TX·1995-D30-RSC-0008", match.RefCode, false},
		{"Ｇ１７９－ｔｘ．1995．D30-0008", match.RefCode, false},
		{"g179tx1995d30rsc0008", match.RefCode, false},
		{"G179", match.RefCode, false},
		{"C038-001-002-003-004-005", match.RefCode, false},
		{"Z109-WS•2011•Y•办公室—0001", match.RefCode, false},
		{"a439 退休", match.Hanzi, false},
		{"01JDQ7Z0000000000000000000", match.RecordID, false},
		{"01jdq7z0000000000000000000", match.RecordID, false},
		{strings.Repeat("0a1b", 16), match.Token, false},
		{strings.Repeat("0a1b", 15), match.Latin, false},
		{"liu jing pei", match.Latin, false},
		{"ljp", match.Latin, false},
		{"刘静佩", match.Hanzi, false},
		{"刘静 退休", match.Hanzi, false},
		{"1995年退休", match.Hanzi, false},
		{"𬱖", match.Hanzi, false},
	}
	for _, tt := range tests {
		got := match.Classify(tt.in)
		if got.Kind != tt.kind || got.HasID != tt.hasID {
			t.Errorf("Classify(%q) = %s, id %v; want %s, id %v", tt.in, got.Kind, got.HasID, tt.kind, tt.hasID)
		}
	}
	got := match.Classify(" 劉靜　退休 ")
	want := match.Typed{Kind: match.Hanzi, Text: "刘静 退休", Words: []string{"刘静", "退休"}, Key: "刘静退休"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add("刘静 999999 19900101 0016")
	f.Fuzz(func(t *testing.T, s string) {
		got := match.Classify(s)
		again := match.Classify(got.Text)
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("%q: its folded text is classified otherwise: %s", s, diff)
		}
	})
}

// Fold takes these for characters that no normal form changes, alone or beside others.
func TestHanziAreInert(t *testing.T) {
	for r := rune(0x4E00); r <= 0x9FFF; r++ {
		p := norm.NFKC.PropertiesString(string(r))
		if !norm.NFKC.IsNormalString(string(r)) || !p.BoundaryBefore() || !p.BoundaryAfter() {
			t.Errorf("U+%04X", r)
		}
	}
}

// Every character is read as the library reads it without tones, where this package
// does not know better.
func TestReadingsAreThoseOfTheDictionary(t *testing.T) {
	compared := 0
	for r := range pinyin.PinyinDict {
		name := string(rune(r))
		if match.FoldName(name) != name || strings.Contains("长朝乐重行茜柏晟参藏都莘莞曾佛勒偲仔薄泊没率婼", name) {
			continue
		}
		compared++
		want := pinyin.SinglePinyin(rune(r), pinyin.Args{Style: pinyin.Normal})
		if full, _ := match.Pinyin("·" + name); len(full) != 1 || full[0] != match.FoldName(want[0]) { // the dot: no surname in front
			t.Errorf("%s is read %q, not %q", name, full, want)
		}
	}
	if compared < 30000 {
		t.Errorf("only %d characters compared", compared)
	}
}
