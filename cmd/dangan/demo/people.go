package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"dangan/archive"
)

// Surnames from the most to the least frequent, roughly as a census counts them.
const surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇解查"

const (
	maleGiven   = "伟强磊军勇杰涛明超平刚辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林建国志文德福贵山海云峰成东"
	femaleGiven = "芳娜敏静丽艳娟霞秀英玲桂兰燕红梅莉洁琴雪慧萍玉凤珍婷丹颖淑华琳倩蓉晶欣怡佳清香春月"
	rareGiven   = "㛃𬱖龘"
)

func compounds() []string {
	return []string{"欧阳", "司马", "上官", "诸葛", "尉迟", "令狐"}
}

func ethnicMen() []string {
	return []string{"买买提·吐尔逊", "艾力·阿不都拉", "扎西·次仁", "多吉·旺堆", "巴图·孟和", "阿布力孜·肉孜"}
}

func ethnicWomen() []string {
	return []string{"阿依古丽·买买提", "古丽娜尔·艾山", "卓玛·央金", "白玛·德吉", "其其格·乌云", "热依汗·吐尔逊"}
}

// traditional writes a name as it stood on forms before the characters were
// simplified in 1956.
func traditional(name string) string {
	return strings.NewReplacer("张", "張", "陈", "陳", "刘", "劉", "杨", "楊", "黄", "黃", "赵", "趙", "吴", "吳",
		"孙", "孫", "马", "馬", "罗", "羅", "郑", "鄭", "谢", "謝", "许", "許", "韩", "韓", "冯", "馮", "邓", "鄧",
		"国", "國", "华", "華", "军", "軍", "兰", "蘭", "凤", "鳳", "云", "雲", "丽", "麗", "艳", "艷", "红", "紅",
		"龙", "龍", "东", "東", "贵", "貴", "伟", "偉", "强", "強").Replace(name)
}

// pick takes one at random.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func surname(r *rand.Rand) string {
	if chance(r, 2) {
		return pick(r, compounds())
	}
	list := []rune(surnames)
	u := r.Float64()
	return string(list[int(u*u*float64(len(list)))]) // the frequent ones are at the front
}

// personName is two to four characters long, or has a dot in it.
func personName(r *rand.Rand, sex archive.Sex) string {
	given, ethnic := []rune(maleGiven), ethnicMen()
	if sex == archive.Female {
		given, ethnic = []rune(femaleGiven), ethnicWomen()
	}
	switch n := r.IntN(100); {
	case n < 3:
		return pick(r, ethnic)
	case n < 4:
		return surname(r) + string(pick(r, []rune(rareGiven)))
	case n < 25:
		return surname(r) + string(pick(r, given))
	}
	return surname(r) + string(pick(r, given)) + string(pick(r, given))
}

// person is somebody of an age in the year of a record, as a paper of that year
// gives them: before 1985 without a number, then with one of 15 digits.
func person(r *rand.Rand, role string, sex archive.Sex, year, age int) archive.Person {
	y, m, d := year-age, 1+r.IntN(12), 1+r.IntN(28)
	p := archive.Person{Name: personName(r, sex), Role: role, Sex: sex, Birth: day(y, m, d)}
	switch {
	case year < 1985:
		p.Birth = pick(r, []archive.Date{p.Birth, month(y, m), written(fmt.Sprintf("%d年", y)), written(fmt.Sprintf("[%d]", y))})
	case year < 2000 && chance(r, 85):
		full := residentID(y, m, d, sequence(r, sex)).Original
		p.ID = archive.NewIDNumber(archive.IDResident, full[:6]+full[8:17])
	case year >= 2000:
		p.ID = residentID(y, m, d, sequence(r, sex))
		if chance(r, 2) {
			p.ID = miswritten(p.ID)
		}
	}
	if year < 1960 && chance(r, 60) {
		if old := traditional(p.Name); old != p.Name {
			p.Name, p.Aliases = old, []string{p.Name}
		}
	} else if chance(r, 8) {
		p.Aliases = []string{personName(r, sex)}
	}
	return p
}

// sequence is odd for men (GB 11643-1999).
func sequence(r *rand.Rand, sex archive.Sex) int {
	n := 2 * (10 + r.IntN(480))
	if sex == archive.Male {
		n++
	}
	return n
}

func residentID(year, month, day, sequence int) archive.IDNumber {
	body := fmt.Sprintf("999999%04d%02d%02d%03d", year, month, day, sequence)
	return archive.NewIDNumber(archive.IDResident, body+string(archive.CheckCharacter(body)))
}

// miswritten is a number with a wrong digit, as clerks copied them. It is never
// valid: the check character finds every single error.
func miswritten(id archive.IDNumber) archive.IDNumber {
	b := []byte(id.Original)
	b[16] = '0' + (b[16]-'0'+1)%10
	return archive.NewIDNumber(id.Type, string(b))
}

// written is a date in the words of a record. The texts are the package's own,
// so that one which is no date shows in the tests as a bad record.
func written(text string) archive.Date {
	d, err := archive.ParseDate(text)
	if err != nil {
		return archive.Date{Original: text}
	}
	return d
}

func day(y, m, d int) archive.Date { return written(fmt.Sprintf("%04d%02d%02d", y, m, d)) }

func month(y, m int) archive.Date { return written(fmt.Sprintf("%04d%02d", y, m)) }
