select b.auction, b.price, b.bidder, b.date_time as dt, b.extra
from bid b join (
  select max(price) as maxprice, date_time - date_time % 10000 + 10000 as wend
  from bid
  group by all
) m on b.price = m.maxprice
where b.date_time between m.wend - 10000 and m.wend
