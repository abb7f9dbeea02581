package stamp

import "strings"

// marriageSheet is a full one-page certificate with rare characters, made up from nothing.
func marriageSheet() Sheet {
	source := "J0231-MS-2010-0456-0078 第3页，结婚登记申请书，2010年5月20日"
	return Sheet{
		Language: "zh-CN",
		Issuer:   "青川市档案馆",
		Title:    "婚姻登记档案证明",
		Number:   "青档证〔2026〕7K3M-000123号",
		Rows: []Row{
			{{"申请人", "张㛃"}, {"身份证号", "999999********0016"}},
			{{"查询事项", "婚姻登记档案"}, {"利用目的", "办理公积金贷款"}},
			{{"档案出处", "J0231-MS-2010-0456-0078（全宗 J0231，案卷 0456，件 0078）第 3 至 5 页"}},
		},
		Body: []Paragraph{
			{{"经查阅馆藏婚姻登记档案，现将有关记载摘录如下：", ""}},
			{
				{"张㛃（女，1990年3月7日出生）与李𬱖（男，1988年10月2日出生）于2010年5月20日在青川市民政局婚姻登记处登记结婚，", source},
				{"结婚证字号为J510822-2010-003456，经办人王龘。", "J0231-MS-2010-0456-0078 第4页，结婚登记审查处理表，2010年5月20日"},
			},
			{{"上述内容与馆藏档案原件核对无异，特此证明。", ""}},
		},
		After:       []Row{{{"有效期限", "自开具之日起六个月内有效。"}}},
		SignedBy:    "青川市档案馆",
		Date:        "2026年11月23日",
		PurposeMark: "仅供办理公积金贷款使用",
		QRText:      "https://da.example.gov.cn/v/7K3M-000123?c=7F3K-9QX2-M5TB",
		CheckCode:   "7F3K-9QX2-M5TB",
		VerifyURL:   "https://da.example.gov.cn/v",
		Notes:       []string{"本证明由电子签章系统签发，涂改无效；\n与馆藏档案原件核对无异。"},
		Footer:      "青档证〔2026〕7K3M-000123号",
		Labels:      Chinese(),
	}
}

// longSheet needs several pages and has long names everywhere.
func longSheet() Sheet {
	s := marriageSheet()
	s.Issuer = "青川市某某自治区某某自治州综合档案馆与城建档案馆联合服务中心"
	s.SignedBy = s.Issuer
	s.Rows[0][0].Value = "阿卜杜热依木·买买提吐尔逊·阿不都热合曼、欧阳㛃、李𬱖、王龘"
	for range 14 {
		s.Body = append(s.Body, s.Body[1])
	}
	s.Body = append(s.Body, Paragraph{{strings.Repeat("《关于印发〈青川市婚姻登记工作规范〉的通知》（青民发〔2009〕12号）规定：“凡申请结婚登记的，应当出具本人的居民户口簿、身份证……”", 3) + "。", "J0231-WS-2009-D30-0012 第1页，2009年1月6日"}})
	return s
}

func englishSheet() Sheet {
	source := "J0231-MS-2010-0456-0078, page 3, marriage registration form, 20 May 2010"
	return Sheet{
		Language: "en",
		Issuer:   "Qingchuan Municipal Archives",
		Title:    "Certificate of Marriage Registration Records",
		Number:   "QCMA-2026-7K3M-000123",
		Rows: []Row{
			{{"Applicant", "ZHANG Jie (张㛃)"}, {"Identity number", "999999********0016"}},
			{{"Subject", "Marriage registration"}, {"Purpose", "Housing provident fund loan application"}},
			{{"Reference code", "J0231-MS-2010-0456-0078, pages 3 to 5"}},
		},
		Body: []Paragraph{
			{{"The marriage registration records held by these archives state the following:", ""}},
			{
				{"Zhang Jie (张㛃, female, born 7 March 1990) and Li Wei (李𬱖, male, born 2 October 1988) registered their marriage on 20 May 2010 at the marriage registry of the Qingchuan Civil Affairs Bureau.", source},
				{" The marriage certificate bears the number J510822-2010-003456.", "J0231-MS-2010-0456-0078, page 4, examination form, 20 May 2010"},
			},
			{{"The above agrees with the original record.", ""}},
		},
		After:       []Row{{{"Valid until", "23 May 2027"}}},
		SignedBy:    "Qingchuan Municipal Archives",
		Date:        "23 November 2026",
		PurposeMark: "For a provident fund loan only",
		QRText:      "https://da.example.gov.cn/v/7K3M-000123?c=7F3K-9QX2-M5TB",
		CheckCode:   "7F3K-9QX2-M5TB",
		VerifyURL:   "https://da.example.gov.cn/v",
		Notes:       []string{"Sealed electronically. Any change makes it void."},
		Footer:      "QCMA-2026-7K3M-000123",
		Labels:      English(),
	}
}
