with pane as (
  select auction, date_time - date_time % 2000 as p, count(*) as c
  from bid
  group by all
), counts as (
  select auction, p + k as wend, sum(c) as num
  from pane cross join (values (2000), (4000), (6000), (8000), (10000)) as slides(k)
  group by all
), most as (
  select wend, max(num) as maxn from counts group by wend
)
select auction, num, wend from counts join most using (wend) where num = maxn
